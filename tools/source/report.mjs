// What every check answers, and how one run by hand prints it.
import { realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * @typedef {object} Report
 * @property {string} summary     what was looked at, in a few words
 * @property {string[]} problems  each makes the check fail; starts with `path:line` or `path`
 * @property {string[]} warnings  shown, and never a failure
 * @property {string[]} skipped   what could not be looked at yet, and why
 */

/** @typedef {(root: string) => Report | Promise<Report>} Check */

/** The root of this repository. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Prints the report and sets the exit code, if the module at `url` is the program. @param {string} url @param {Check} check */
export async function runAsProgram(url, check, root = ROOT) {
  if (!isProgram(url)) return;
  const report = await check(root);
  for (const line of [...report.problems, ...report.warnings.map((text) => `warning: ${text}`)])
    console.log(line);
  for (const line of report.skipped) console.log(`skipped: ${line}`);
  console.log(
    `${report.problems.length === 0 ? 'ok' : `${report.problems.length} problem(s)`}: ${report.summary}`,
  );
  process.exitCode = report.problems.length === 0 ? 0 : 1;
}

/** @param {string} url */
export function isProgram(url) {
  return process.argv[1] !== undefined && pathToFileURL(realpathSync(process.argv[1])).href === url;
}
