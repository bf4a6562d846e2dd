// node-opcua itself, which the workspace does not have: a folder and lockfile of its own, installed by the first test that asks.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

const FOLDER = fileURLToPath(new URL('node-opcua/', import.meta.url));
const CACHE = join(FOLDER, '.cache');
const ENTRY = join(FOLDER, 'node_modules/node-opcua/dist/index.js');
const INSTALL_WITHIN_MS = 170_000;

/** Time for `beforeAll` where node-opcua may have to be installed first. */
export const PEER_TIMEOUT_MS = 180_000;

/** The module, untyped: its types are where it is. Else why it cannot be had here. */
export async function loadPeer() {
  const absent = await underLock(install).catch((error: Error) => error.message.trim().slice(-300));
  if (absent !== undefined) {
    if (process.env['COUNTERSIGN_REQUIRE'] === 'all') throw new Error(`node-opcua: ${absent}`);
    return { absent: `node-opcua: ${absent}` };
  }
  // Else each of its processes prints a page about RSA PKCS #1 v1.5, which nothing here uses.
  return { opcua: await import(pathToFileURL(ENTRY).href) };
}

async function install(): Promise<undefined> {
  const stamp = join(CACHE, 'stamp');
  const digest = createHash('sha256')
    .update(readFileSync(join(FOLDER, 'package-lock.json')))
    .digest('hex');
  if (existsSync(ENTRY) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return undefined;
  await npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stamp, digest);
  return undefined;
}

/** A directory is the lock: making it is atomic. One that is older than any install may take was left by a dead process. */
async function underLock<Result>(work: () => Promise<Result>): Promise<Result> {
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
function npm(args: readonly string[]): Promise<void> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => (!/^npm_/i.test(name) || NPM_SETTINGS.test(name)) && !/^(VITEST|NODE_OPTIONS$)/.test(name),
    ),
  );
  return new Promise((resolve, reject) => {
    execFile('npm', [...args], { cwd: FOLDER, env, timeout: INSTALL_WITHIN_MS }, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else reject(new Error(stderr.trim() === '' ? error.message : stderr));
    });
  });
}
