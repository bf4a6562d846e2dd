#!/usr/bin/env node
// Installs node-opcua into this folder, which has a lockfile of its own, where that has not been done; prints the path of the module.
// Several processes may ask at once.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const CACHE = join(FOLDER, '.cache');
const ENTRY = join(FOLDER, 'node_modules/node-opcua/dist/index.js');
const INSTALL_WITHIN_MS = 170_000;

async function install() {
  const stamp = join(CACHE, 'stamp');
  const digest = createHash('sha256')
    .update(readFileSync(join(FOLDER, 'package-lock.json')))
    .digest('hex');
  if (existsSync(ENTRY) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  await npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stamp, digest);
}

/** A directory is the lock: making it is atomic. One that is older than any install may take was left by a dead process. */
async function underLock(work) {
  mkdirSync(CACHE, { recursive: true });
  const lock = join(CACHE, 'lock');
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
    return await work();
  } finally {
    rmdirSync(lock);
  }
}

const NPM_SETTINGS =
  /^npm_config_(cache|registry|userconfig|globalconfig|cafile|https?_proxy|proxy|noproxy)$/i;

/** Without what an outer `npm run` put into the environment about another folder. */
function npm(args) {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => (!/^npm_/i.test(name) || NPM_SETTINGS.test(name)) && !/^(VITEST|NODE_OPTIONS$)/.test(name),
    ),
  );
  return new Promise((resolve, reject) => {
    execFile('npm', args, { cwd: FOLDER, env, timeout: INSTALL_WITHIN_MS }, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else reject(new Error(stderr.trim() === '' ? error.message : stderr));
    });
  });
}

try {
  await underLock(install);
  process.stdout.write(`${ENTRY}\n`);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
