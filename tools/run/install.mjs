// Installs what the lockfile names, when node_modules does not hold it yet. No install script ever runs.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundlePrograms } from '../build/bundle.mjs';
import { bundleConsole } from '../build/console.mjs';
import { run } from './child.mjs';

const OLDEST_NODE = [20, 19];

/** @returns {string | undefined} why this Node cannot run the project */
export function nodeTooOld() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const ok = major > (OLDEST_NODE[0] ?? 0) || (major === OLDEST_NODE[0] && minor >= (OLDEST_NODE[1] ?? 0));
  return ok
    ? undefined
    : `Node ${OLDEST_NODE.join('.')} or later is needed; this is ${process.versions.node}`;
}

/**
 * How many packages of the lockfile are missing or of another version. npm keeps its own account of what it installed
 * in node_modules/.package-lock.json; optional packages may be of another platform and do not count.
 * @param {string} root @param {{dev: boolean}} wanted
 */
export function missingPackages(root, { dev }) {
  const want = packagesOf(join(root, 'package-lock.json'));
  const have = packagesOf(join(root, 'node_modules/.package-lock.json'));
  return Object.entries(want).filter(([path, entry]) => {
    if (!path.includes('node_modules/') || entry.optional || entry.devOptional) return false;
    if (entry.dev && !dev) return false;
    const installed = have[path];
    return !installed || installed.version !== entry.version || installed.integrity !== entry.integrity;
  }).length;
}

/** @param {string} file @returns {Record<string, any>} */
function packagesOf(file) {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')).packages ?? {}) : {};
}

/**
 * Installs everything, or only what running and building needs.
 * @param {string} root @param {{dev: boolean}} wanted
 * @returns {Promise<{code: number, installed: boolean}>}
 */
export async function install(root, wanted) {
  if (missingPackages(root, wanted) === 0) return { code: 0, installed: false };
  const args = [
    'ci',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    ...(wanted.dev ? [] : ['--omit=dev']),
  ];
  const code = await run('npm', args, {
    cwd: root,
    shell: process.platform === 'win32',
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return { code, installed: true };
}

/**
 * Builds every package, the bundles that the commands run and the console that browsers load; only what changed is compiled or bundled.
 * @param {string} root @returns {Promise<number>} exit code
 */
export async function build(root) {
  const compiled = await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b'], {
    cwd: root,
  });
  if (compiled !== 0) return compiled;
  await bundlePrograms(root);
  await bundleConsole(root);
  return compiled;
}
