#!/usr/bin/env node
// The lockfiles name packages and their digests, never where to fetch them: a checkout installs through whatever
// registry its machine is set up with, and nothing in the repository can redirect it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runAsProgram } from './source/report.mjs';
import { committedFiles } from './source/tree.mjs';

/** @param {string} root @returns {import('./source/report.mjs').Report} */
export function checkLockfile(root) {
  const files = committedFiles(root).filter((path) => /(^|\/)package-lock\.json$/.test(path));
  const problems = files.flatMap((path) => problemsOf(path, readFileSync(join(root, path), 'utf8')));
  if (files.length === 0) problems.push('package-lock.json: missing');
  return { summary: `${files.length} lockfile(s) without addresses`, problems, warnings: [], skipped: [] };
}

/** @param {string} file @param {string} text */
function problemsOf(file, text) {
  /** @type {string[]} */
  const problems = [];
  const lock = JSON.parse(text);
  for (const [path, entry] of Object.entries(/** @type {Record<string, any>} */ (lock.packages ?? {}))) {
    const fromRegistry = path.includes('node_modules/') && !entry.link;
    if (entry.resolved !== undefined && !entry.link)
      problems.push(`${file}: ${path} carries an address ("resolved")`);
    if (fromRegistry && !entry.integrity && !entry.inBundle)
      problems.push(`${file}: ${path} has no integrity`);
    delete entry.funding; // an address nobody fetches from
  }
  const address = /"(?:[a-z+]+:)?\/\/[^"]*"|"git@[^"]*"/.exec(JSON.stringify(lock));
  if (address) problems.push(`${file}: carries an address: ${address[0]}`);
  return problems;
}

await runAsProgram(import.meta.url, checkLockfile);
