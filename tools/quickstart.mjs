#!/usr/bin/env node
// `npm run quickstart`: from a fresh checkout to a running authority that tells its story. Installs what running needs
// (not what testing needs), builds, and hands over to examples/quickstart with the arguments given.
import { join } from 'node:path';
import { endWithUs, run } from './run/child.mjs';
import { build, install, missingPackages, nodeTooOld } from './run/install.mjs';
import { ROOT } from './source/report.mjs';

/** @param {string} name @param {number} started */
function line(name, started) {
  console.log(`${name.padEnd(10)} ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

/** @param {string[]} args @returns {Promise<number>} exit code */
async function quickstart(args) {
  const old = nodeTooOld();
  if (old) {
    console.error(old);
    return 1;
  }
  let started = performance.now();
  if (missingPackages(ROOT, { dev: false }) > 0) console.log('installing and building: up to a minute');
  const { code, installed } = await install(ROOT, { dev: false });
  if (code !== 0) return code;
  if (installed) line('installed', started);
  started = performance.now();
  const built = await build(ROOT);
  if (built !== 0) return built;
  line('built', started);
  return run(process.execPath, [join(ROOT, 'examples/quickstart/run.mjs'), ...args], {
    cwd: ROOT,
    stdio: 'inherit',
  });
}

endWithUs();
process.exitCode = await quickstart(process.argv.slice(2));
