#!/usr/bin/env node
// What would be published is packed and looked at as others see it: publint (exports, files, metadata) and
// are-the-types-wrong (every import path resolves to code and types). Slower than the rest: npm test runs it, npm run
// check does not.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { output } from './run/child.mjs';
import { runAsProgram } from './source/report.mjs';

/** Every package is an ES module; who resolves in another way is told so by Node. */
const NOT_FOR = ['node10', 'node16-cjs'];

/** @param {string} root @returns {Promise<import('./source/report.mjs').Report>} */
export async function checkPackages(root) {
  const names = readdirSync(join(root, 'packages')).filter((name) =>
    existsSync(join(root, 'packages', name, 'package.json')),
  );
  const built = names.filter((name) => existsSync(join(root, 'packages', name, 'dist/index.js')));
  const packed = mkdtempSync(join(tmpdir(), 'countersign-packed-'));
  /** @type {string[]} */
  const problems = [];
  try {
    problems.push(...(await pack(root, built, packed)));
    for (const file of readdirSync(packed)) problems.push(...(await wrongWith(join(packed, file))));
  } finally {
    rmSync(packed, { recursive: true, force: true });
  }
  problems.push(...withoutBundle(root, built));
  const unbuilt = names
    .filter((name) => !built.includes(name))
    .map((name) => `packages/${name} is not built`);
  return { summary: `${built.length} packages as others see them`, problems, warnings: [], skipped: unbuilt };
}

/** One npm for all of them: it starts more slowly than it packs. @param {string} root @param {string[]} names @param {string} folder */
async function pack(root, names, folder) {
  const which = names.flatMap((name) => ['--workspace', `packages/${name}`]);
  const { code, text } = await output(
    'npm',
    ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder, ...which],
    { cwd: root, shell: process.platform === 'win32' },
  );
  if (code !== 0) return [`npm pack: ${text.trim()}`];
  const files = readdirSync(folder).length;
  return files === names.length ? [] : [`npm pack made ${files} files of ${names.length} packages`];
}

/** @param {string} tarball @returns {Promise<string[]>} */
async function wrongWith(tarball) {
  // Only here: who runs the other checks need not have waited for a compiler to load.
  const [types, lint, { formatMessage }] = await Promise.all([
    import('@arethetypeswrong/core'),
    import('publint'),
    import('publint/utils'),
  ]);
  const bytes = new Uint8Array(readFileSync(tarball));
  const contents = types.createPackageFromTarballData(bytes);
  const analysis = await types.checkPackage(contents);
  const resolved = (analysis.types ? analysis.problems : []).filter(
    (problem) => !('resolutionKind' in problem && NOT_FOR.includes(problem.resolutionKind)),
  );
  const { messages, pkg } = await lint.publint({ pack: { tarball: bytes.buffer }, strict: true });
  const linted = messages.filter(({ type }) => type === 'error');
  // The checks that run beside this one are started in between.
  await turn();
  return [
    ...resolved.map((problem) => JSON.stringify(problem)),
    ...linted.map((message) => formatMessage(message, pkg, { color: false }) ?? message.code),
  ].map((text) => `${contents.packageName}: ${text}`);
}

/** What a command runs first goes into its package. @param {string} root @param {string[]} names */
function withoutBundle(root, names) {
  return names
    .map((name) => join('packages', name))
    .filter((folder) => existsSync(join(root, folder, 'bin')))
    .filter((folder) => !existsSync(join(root, folder, 'dist/bundle/main.js')))
    .map((folder) => `${folder}: its command has no bundle; npm run build`);
}

await runAsProgram(import.meta.url, checkPackages);
