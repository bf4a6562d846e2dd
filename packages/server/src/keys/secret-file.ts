import { randomBytes } from 'node:crypto';
import { link, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a file for its owner alone (mode 0600). It is there whole or not at all, whenever the process dies, and when this
 * resolves it outlives the power. Rejects with `EEXIST` when there is a file of this name: what it holds may be in use.
 */
export async function createSecretFile(path: string, text: string): Promise<void> {
  await throughDraft(path, text, link);
}

/** The same, in the place of the file that was there. */
export async function replaceSecretFile(path: string, text: string): Promise<void> {
  await throughDraft(path, text, rename);
}

/** The draft's name cannot be guessed: in a folder that others write to, nobody waits there with a file of theirs. */
async function throughDraft(
  path: string,
  text: string,
  settle: (draft: string, path: string) => Promise<void>,
): Promise<void> {
  const draft = `${path}.${randomBytes(12).toString('hex')}.draft`;
  try {
    await writeFile(draft, text, { mode: 0o600, flag: 'wx', flush: true });
    await settle(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** True when others than the owner may read the file: a reason to refuse in production. */
export async function isReadableByOthers(path: string): Promise<boolean> {
  return process.platform !== 'win32' && ((await stat(path)).mode & 0o077) !== 0;
}
