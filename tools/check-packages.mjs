#!/usr/bin/env node
// What would be published is packed and looked at as others see it: publint (exports, files, metadata) and
// are-the-types-wrong (every import path resolves to code and types). Slower than the rest: npm test runs it, npm run
// check does not.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { output } from './run/child.mjs';
import { runAsProgram } from './source/report.mjs';

const PUBLINT = 'node_modules/publint/src/cli.js';
const ATTW = 'node_modules/@arethetypeswrong/cli/dist/index.js';

/** @param {string} root @returns {Promise<import('./source/report.mjs').Report>} */
export async function checkPackages(root) {
  const names = readdirSync(join(root, 'packages')).filter((name) =>
    existsSync(join(root, 'packages', name, 'package.json')),
  );
  const built = names.filter((name) => existsSync(join(root, 'packages', name, 'dist/index.js')));
  /** @type {string[]} */
  const problems = [];
  for (const name of built) {
    const folder = join('packages', name);
    const answers = await Promise.all([
      output(process.execPath, [PUBLINT, folder, '--strict'], { cwd: root }),
      output(process.execPath, [ATTW, '--pack', folder, '--profile', 'esm-only', '--format', 'ascii'], {
        cwd: root,
      }),
    ]);
    for (const { code, text } of answers) if (code !== 0) problems.push(`${folder}: ${text.trim()}`);
  }
  problems.push(...withoutBundle(root, built));
  const unbuilt = names
    .filter((name) => !built.includes(name))
    .map((name) => `packages/${name} is not built`);
  return { summary: `${built.length} packages as others see them`, problems, warnings: [], skipped: unbuilt };
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
