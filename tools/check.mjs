#!/usr/bin/env node
// `npm run check`: every check of the house, one line each; what a check found only when it failed. `--verbose` shows
// warnings too, `--all` runs the slow ones. It looks and never changes; `npm run format` formats, `node tools/check-floors.mjs --write` renews a table.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkClauses } from './check-clauses.mjs';
import { checkDocs } from './check-docs.mjs';
import { checkFloors } from './check-floors.mjs';
import { checkLicences } from './check-licences.mjs';
import { checkLockfile } from './check-lockfile.mjs';
import { checkNames } from './check-names.mjs';
import { checkPackages } from './check-packages.mjs';
import { checkShipped } from './check-shipped.mjs';
import { checkSize } from './check-size.mjs';
import { checkText } from './check-text.mjs';
import { output } from './run/child.mjs';
import { isProgram, ROOT } from './source/report.mjs';

/** What `npm run check` runs and `npm run quickstart` does not install. */
const TOOLS = { biome: '@biomejs/biome/bin/biome', oxlint: 'oxlint/bin/oxlint', knip: 'knip/bin/knip.js' };

/** @typedef {import('./source/report.mjs').Report} Report */
/** @typedef {{name: string, check: (root: string) => Report | Promise<Report>}} Entry */

/** @type {Entry[]} */
const CHECKS = [
  { name: 'floors', check: checkFloors },
  { name: 'shipped', check: checkShipped },
  { name: 'size', check: checkSize },
  { name: 'names', check: checkNames },
  { name: 'clauses', check: checkClauses },
  { name: 'docs', check: checkDocs },
  { name: 'text', check: checkText },
  { name: 'lockfile', check: checkLockfile },
  { name: 'licences', check: checkLicences },
  { name: 'format', check: tool('biome', ['format', '.'], 'biome.json') },
  {
    name: 'lint',
    check: tool('oxlint', ['--type-aware', '--max-warnings', '0', '-f', 'unix'], '.oxlintrc.json'),
  },
  { name: 'types', check: checkTypes },
  { name: 'unused', check: tool('knip', ['--no-progress', '--no-config-hints'], 'knip.json') },
];

/** Most of a minute: only `npm test` and `--all` run them, beside the others. @type {Entry[]} */
const SLOW_CHECKS = [{ name: 'packages', check: checkPackages }];

/** The build leaves out what is not shipped: tests, the conformance suite and these tools are only checked. @param {string} root @returns {Promise<Report>} */
async function checkTypes(root) {
  const projects = ['tsconfig.tests.json', 'conformance/tsconfig.json', 'tools/tsconfig.json'];
  /** @type {string[]} */
  const problems = [];
  for (const project of projects.filter((file) => existsSync(join(root, file)))) {
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { code, text } = await output(process.execPath, [tsc, '-p', project, '--pretty', 'false'], {
      cwd: root,
    });
    if (code !== 0) problems.push(text.trim());
  }
  return { summary: 'tests, conformance and tools', problems, warnings: [], skipped: [] };
}

/** A program of node_modules as a check: its exit code decides, its output is the problem. @param {keyof typeof TOOLS} program @param {string[]} args @param {string} config */
function tool(program, args, config) {
  return async (/** @type {string} */ root) => {
    const path = join(root, 'node_modules', TOOLS[program]);
    if (!existsSync(path) || !existsSync(join(root, config))) {
      return {
        summary: program,
        problems: [],
        warnings: [],
        skipped: [`${program} is not installed or has no ${config}`],
      };
    }
    const { code, text } = await output(process.execPath, [path, ...args], { cwd: root });
    return { summary: program, problems: code === 0 ? [] : [text.trim()], warnings: [], skipped: [] };
  };
}

/** @param {Entry} entry */
async function looked({ name, check }) {
  const started = performance.now();
  const report = await check(ROOT);
  return { name, report, took: `${((performance.now() - started) / 1000).toFixed(1)} s` };
}

/**
 * Runs them all and prints a line for each.
 * @param {{verbose?: boolean, slow?: boolean}} [options]
 * @returns {Promise<{passed: number, failed: string[], skipped: string[]}>}
 */
export async function runChecks({ verbose = false, slow = false } = {}) {
  let passed = 0;
  /** @type {string[]} */
  const failed = [];
  /** @type {string[]} */
  const skipped = [];
  const beside = slow ? SLOW_CHECKS.map(looked) : [];
  for (const next of [...CHECKS.map((entry) => () => looked(entry)), ...beside.map((each) => () => each)]) {
    const { name, report, took } = await next();
    const mark = report.problems.length > 0 ? 'FAILED' : report.skipped.length > 0 ? 'partly' : 'ok';
    console.log(`  ${name.padEnd(9)} ${mark.padEnd(7)} ${took.padStart(6)}  ${report.summary}`);
    for (const text of [...report.problems, ...(verbose ? report.warnings : [])]) console.log(indent(text));
    for (const text of report.skipped) console.log(indent(`not looked at: ${text}`));
    skipped.push(...report.skipped.map((text) => `check ${name}: ${text}`));
    if (report.problems.length > 0) failed.push(`check ${name}`);
    else passed++;
  }
  return { passed, failed, skipped };
}

/** @param {string} text */
function indent(text) {
  return text.replace(/^/gm, '      ');
}

/** The first of them that is absent: after `npm run quickstart` all of them are. @param {string} root */
function absentTool(root) {
  const bins = [...Object.values(TOOLS), 'typescript/bin/tsc', 'vitest/vitest.mjs'];
  return bins.find((bin) => !existsSync(join(root, 'node_modules', bin)));
}

if (isProgram(import.meta.url) && absentTool(ROOT) !== undefined) {
  console.log('the tools are not installed: npm ci --ignore-scripts');
  process.exitCode = 1;
} else if (isProgram(import.meta.url)) {
  const { failed } = await runChecks({
    verbose: process.argv.includes('--verbose'),
    slow: process.argv.includes('--all'),
  });
  if (failed.length > 0) console.log(`\n${failed.length} failed: ${failed.join(', ')}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}
