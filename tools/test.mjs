#!/usr/bin/env node
// `npm test`: everything that ends within a quarter of an hour on two cores, on a fresh checkout. `--long` runs the long
// tests instead. What is missing on this machine is skipped, counted and named; under COUNTERSIGN_REQUIRE=all it fails.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runChecks } from './check.mjs';
import { endWithUs, run } from './run/child.mjs';
import { build, install, nodeTooOld } from './run/install.mjs';
import { closingLines, Tally } from './run/tally.mjs';
import { ROOT } from './source/report.mjs';
import { startServices } from './test-services.mjs';

const long = process.argv.includes('--long');
/** For what the run writes down for itself. */
const scratch = mkdtempSync(join(tmpdir(), 'countersign-test-'));
const tally = new Tally(process.env['COUNTERSIGN_REQUIRE'] === 'all');
/** Ends the services, once they are there. @type {() => unknown} */
let stopServices = () => undefined;

/** @returns {Promise<void>} the whole story; `tally` knows how it went */
async function test() {
  const old = nodeTooOld();
  if (old) return tally.fail(old);
  if (!(await phase('install', async () => (await install(ROOT, { dev: true })).code === 0))) return;
  if (!(await phase('build', async () => (await build(ROOT)) === 0))) return;
  if (!long) await phase('checks', checks);
  const services = await phase('services', startServices, announce);
  stopServices = services.stop;
  try {
    // One run each: a suite that cannot be set up must not take the others with it.
    for (const project of long ? ['long'] : ['unit', 'conformance', 'conformance-alone']) {
      await phase(`tests: ${project}`, () => vitest(project, services.env));
    }
    if (!long) await phase('examples', () => examples(services.env));
  } finally {
    await services.stop();
  }
}

/**
 * A step of the story with its heading; answering `false` counts as one failure.
 * @template T @param {string} name @param {() => Promise<T>} work @param {(result: T) => void} [show] @returns {Promise<T>}
 */
async function phase(name, work, show) {
  console.log(`\n== ${name}`);
  const started = performance.now();
  const result = await work();
  show?.(result);
  if (result === false) tally.fail(name);
  console.log(`   ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return result;
}

async function checks() {
  const { passed, failed, skipped } = await runChecks({ slow: true });
  tally.pass(passed);
  for (const name of failed) tally.fail(name);
  for (const what of skipped) tally.skip(what, 'not built or not installed');
}

/** @param {import('./test-services.mjs').Services} services */
function announce({ found, missing }) {
  for (const { name, from } of found) console.log(`  ${name.padEnd(11)} ${from}`);
  for (const { name, missing: why } of missing) {
    console.log(`  ${name.padEnd(11)} not available: ${why}`);
    tally.absent(name, why);
  }
}

/** @param {string} project @param {Record<string, string>} env */
async function vitest(project, env) {
  const results = join(scratch, `${project}.json`);
  const code = await run(
    process.execPath,
    [
      join(ROOT, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--reporter',
      join(ROOT, 'tools/run/progress-reporter.mjs'),
      '--project',
      project,
    ],
    { cwd: ROOT, env: { ...process.env, ...env, COUNTERSIGN_TEST_RESULTS: results } },
  );
  const told = existsSync(results) ? JSON.parse(readFileSync(results, 'utf8')) : undefined;
  if (told) tally.add(told);
  if (code !== 0 && !(told?.failed > 0)) tally.fail(`tests: ${project} ended with exit code ${code}`);
}

/**
 * Every example asserts its own story and exits 0, or 77 where a program that it needs is not on this machine: `run.mjs` with
 * `--once`. @param {Record<string, string>} env */
async function examples(env) {
  const folder = join(ROOT, 'examples');
  const stories = existsSync(folder)
    ? readdirSync(folder).filter((name) => existsSync(join(folder, name, 'run.mjs')))
    : [];
  for (const story of stories.sort()) {
    const code = await run(process.execPath, [join(folder, story, 'run.mjs'), '--once'], {
      cwd: ROOT,
      env: { ...process.env, ...env },
    });
    if (code === 0) tally.pass(1);
    else if (code === 77) tally.skip(`examples/${story}`, 'a program that it needs is not on this machine');
    else tally.fail(`examples/${story} ended with exit code ${code}`);
  }
}

endWithUs(async () => {
  await stopServices();
  rmSync(scratch, { recursive: true, force: true });
});
const started = performance.now();
try {
  await test();
} catch (error) {
  console.error(error);
  tally.fail('npm test itself');
}
rmSync(scratch, { recursive: true, force: true });
const minutes = ((performance.now() - started) / 60_000).toFixed(1);
for (const line of closingLines(tally, minutes)) console.log(line);
process.exitCode = tally.failures.length === 0 && tally.passed > 0 ? 0 : 1;
