// Which files there are. Paths are relative to the root and use forward slashes on every platform.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const SKIPPED = new Set(['node_modules', 'dist', 'coverage', '.git', '.cache', '.countersign']);

/** @param {string} root @param {string} [under] @returns {string[]} every file, sorted */
export function filesUnder(root, under = '') {
  const start = join(root, under);
  if (!existsSync(start)) return [];
  /** @type {string[]} */
  const found = [];
  for (const entry of readdirSync(start, { withFileTypes: true })) {
    if (SKIPPED.has(entry.name)) continue;
    const path = under === '' ? entry.name : `${under}/${entry.name}`;
    if (entry.isDirectory()) found.push(...filesUnder(root, path));
    else if (entry.isFile()) found.push(path);
  }
  return found.sort();
}

/** The files that are or would be committed; without git, all of them. @param {string} root @returns {string[]} */
export function committedFiles(root) {
  try {
    const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 64 * 1024 * 1024,
    });
    return [...new Set(listed.split('\0'))]
      .filter((path) => path !== '' && existsSync(join(root, path)))
      .sort();
  } catch {
    return filesUnder(root);
  }
}

/** @param {string} path */
export function isCode(path) {
  return /\.[cm]?[jt]sx?$/.test(path) && !path.endsWith('.d.ts');
}

const TEST = /\.(test|bench)\.[cm]?[jt]sx?$/;
const TEST_SUPPORT =
  /^packages\/[^/]+\/(test\/|src\/(.*\/)?(contract\/|test-[^/]+\.ts$|[^/]+-contract\.ts$))/;

/**
 * A test, or what tests of a package are built with: its folder test/, contract suites (a folder contract/, a file
 * x-contract.ts) and files test-x.ts. None of it is shipped.
 * @param {string} path
 */
export function isTest(path) {
  return TEST.test(path) || TEST_SUPPORT.test(path);
}

/**
 * Turns a glob into a test for paths: one star is a segment or a part of it, two are any number of segments.
 * @param {string} pattern @returns {RegExp}
 */
export function glob(pattern) {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*\*\/?|\*/g, (stars) => (stars === '*' ? '[^/]*' : stars === '**' ? '.*' : '(?:.*/)?'));
  return new RegExp(`^${source}$`);
}
