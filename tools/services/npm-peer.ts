// Packages of others that the workspace does not have: a folder and lockfile of their own, installed by the first test that asks.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const INSTALL_WITHIN_MS = 170_000;

/** Time for `beforeAll` where a peer may have to be installed first. */
export const PEER_TIMEOUT_MS = 180_000;

/**
 * Installs what the lockfile of `folder` names unless it is there already. Several processes may ask at once.
 * @param entry a file of it that is there once it is installed
 * @returns why it cannot be had here; undefined when it is there
 * @throws Error instead under COUNTERSIGN_REQUIRE=all
 */
export async function installPeer(name: string, folder: string, entry: string): Promise<string | undefined> {
  const cache = join(folder, '.cache');
  const fault = await underLock(cache, () => install(folder, cache, join(folder, entry))).then(
    () => undefined,
    (error: unknown) =>
      `${name}: ${String(error instanceof Error ? error.message : error)
        .trim()
        .slice(-300)}`,
  );
  if (fault !== undefined && process.env['COUNTERSIGN_REQUIRE'] === 'all') throw new Error(fault);
  return fault;
}

async function install(folder: string, cache: string, entry: string): Promise<void> {
  const stamp = join(cache, 'stamp');
  const digest = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
  if (existsSync(entry) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  await npm(folder, ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stamp, digest);
}

/** A directory is the lock: making it is atomic. One that is older than any install may take was left by a dead process. */
async function underLock(cache: string, work: () => Promise<void>): Promise<void> {
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

/** Without what an outer `npm run` put into the environment about another folder. */
function npm(cwd: string, args: readonly string[]): Promise<void> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => (!/^npm_/i.test(name) || NPM_SETTINGS.test(name)) && !/^(VITEST|NODE_OPTIONS$)/.test(name),
    ),
  );
  return new Promise((resolve, reject) => {
    execFile('npm', [...args], { cwd, env, timeout: INSTALL_WITHIN_MS }, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else reject(new Error(stderr.trim() === '' ? error.message : stderr));
    });
  });
}
