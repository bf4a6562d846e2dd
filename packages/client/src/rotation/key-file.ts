import { randomBytes } from 'node:crypto';
import { link, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { KeyStore } from './key-store.ts';

/**
 * Keys in a file (mode 0600), and the next one beside it in `PATH.next`, on a file system that all copies of the client share. The
 * file's time says since when its key is in use; it need not be there at first.
 */
export function keyFile(path: string): KeyStore {
  const nextPath = `${path}.next`;

  async function isNext(key: string): Promise<boolean> {
    return (await textOf(nextPath)) === key;
  }

  return {
    async read() {
      const [key, next] = [await textOf(path), await textOf(nextPath)];
      if (key === undefined) return { current: undefined, next };
      return { current: { key, since: Math.floor((await stat(path)).mtimeMs / 1000) }, next };
    },

    async propose(key) {
      const made = `${nextPath}.${randomBytes(8).toString('hex')}`;
      try {
        await writeDurably(made, key);
        // Unlike a rename it takes nothing's place: of two copies one is first.
        await link(made, nextPath);
        await syncFolder(path);
        return key;
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
        return (await textOf(nextPath)) ?? key;
      } finally {
        await rm(made, { force: true });
      }
    },

    async promote(key) {
      if (!(await isNext(key))) return;
      await rename(nextPath, path).catch(unlessGone);
      await syncFolder(path);
    },

    async discard(key) {
      if (await isNext(key)) await rm(nextPath, { force: true });
    },
  };
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The new name is there after a crash, too. Not every platform can sync a folder. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r').catch(() => undefined);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    unlessGone(error);
    return undefined;
  }
}

function unlessGone(error: unknown): void {
  if (codeOf(error) !== 'ENOENT') throw error;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
