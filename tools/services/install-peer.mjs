#!/usr/bin/env node
// Packages of others that the workspace does not have: a folder and lockfile of their own, installed when somebody asks first.
//   node tools/services/install-peer.mjs FOLDER ENTRY
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { output } from '../run/child.mjs';
import { isProgram } from '../source/report.mjs';

const INSTALL_WITHIN_MS = 170_000;

/**
 * Installs what the lockfile of `folder` names unless it is there already. Several processes may ask at once.
 * @param {string} folder @param {string} entry a file of it that is there once it is installed
 * @returns {Promise<string>} its whole path @throws Error where it cannot be had here
 */
export async function installPeer(folder, entry) {
  const cache = join(folder, '.cache');
  const path = join(folder, entry);
  await underLock(cache, async () => {
    const stamp = join(cache, 'stamp');
    const digest = createHash('sha256')
      .update(readFileSync(join(folder, 'package-lock.json')))
      .digest('hex');
    if (existsSync(path) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
    await npm(folder, ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
    writeFileSync(stamp, digest);
  });
  return path;
}

/**
 * A directory is the lock: making it is atomic. One that is older than any install may take was left by a dead process.
 * @param {string} cache @param {() => Promise<void>} work
 */
async function underLock(cache, work) {
  mkdirSync(cache, { recursive: true });
  const lock = join(cache, 'lock');
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch {
      const age = existsSync(lock) ? Date.now() - statSync(lock).mtimeMs : 0;
      if (age > INSTALL_WITHIN_MS + 10_000) rmSync(lock, { recursive: true, force: true });
      await sleep(200);
    }
  }
  try {
    await work();
  } finally {
    rmdirSync(lock);
  }
}

const NPM_SETTINGS =
  /^npm_config_(cache|registry|userconfig|globalconfig|cafile|https?_proxy|proxy|noproxy)$/i;

/** Without what an outer `npm run` put into the environment about another folder. @param {string} cwd @param {string[]} args */
async function npm(cwd, args) {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => (!/^npm_/i.test(name) || NPM_SETTINGS.test(name)) && !/^(VITEST|NODE_OPTIONS$)/.test(name),
    ),
  );
  const { code, text } = await output('npm', args, { cwd, env, timeout: INSTALL_WITHIN_MS });
  if (code !== 0) throw new Error(text.trim() || `npm ended with ${code}`);
}

if (isProgram(import.meta.url)) {
  try {
    console.log(await installPeer(process.argv[2] ?? '', process.argv[3] ?? ''));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
