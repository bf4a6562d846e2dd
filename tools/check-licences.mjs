#!/usr/bin/env node
// Every package that the lockfile brings carries a licence from a short list. What only builds or tests may carry a few
// more. The installed package.json decides; a package of another platform is judged by what the lockfile says of it.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runAsProgram } from './source/report.mjs';

const ALLOWED = new Set([
  'MIT',
  'MIT-0',
  'Apache-2.0',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'Unlicense',
  'CC0-1.0',
]);
const ALLOWED_TO_BUILD = new Set(['MPL-2.0', 'Python-2.0', 'CC-BY-3.0', 'CC-BY-4.0']);

/** @param {string} root @returns {import('./source/report.mjs').Report} */
export function checkLicences(root) {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const entries = Object.entries(/** @type {Record<string, any>} */ (lock.packages)).filter(
    ([path, entry]) => path.includes('node_modules/') && !entry.link,
  );
  const problems = entries.flatMap(([path, entry]) => {
    const licence = licenceOf(root, path) ?? entry.license;
    const builds = entry.dev === true || entry.devOptional === true;
    return isAllowed(licence, builds)
      ? []
      : [`${path}@${entry.version}: licence ${JSON.stringify(licence ?? 'unknown')}`];
  });
  return { summary: `${entries.length} packages`, problems, warnings: [], skipped: [] };
}

/** @param {string} root @param {string} path @returns {string | undefined} */
function licenceOf(root, path) {
  const file = join(root, path, 'package.json');
  if (!existsSync(file)) return undefined;
  const { license, licenses } = JSON.parse(readFileSync(file, 'utf8'));
  if (typeof license === 'string') return license;
  if (typeof license?.type === 'string') return license.type;
  return Array.isArray(licenses) ? licenses.map(({ type }) => type).join(' OR ') : undefined;
}

/** An SPDX expression of names, AND, OR and parentheses. @param {string | undefined} licence @param {boolean} builds */
export function isAllowed(licence, builds) {
  if (!licence) return false;
  return licence
    .replace(/[()]/g, '')
    .split(' OR ')
    .some((choice) =>
      choice
        .split(' AND ')
        .map((name) => name.trim())
        .every((name) => ALLOWED.has(name) || (builds && ALLOWED_TO_BUILD.has(name))),
    );
}

await runAsProgram(import.meta.url, checkLicences);
