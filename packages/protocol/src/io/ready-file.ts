// No RFC: where a process says that it is ready, for whoever waits for it.
import { randomBytes } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';

/** Whole or not at all, mode 0600: who waits for the file may read it the moment it is there. */
export async function writeReadyFile(path: string, ready: object): Promise<void> {
  const draft = `${path}.${randomBytes(12).toString('hex')}.draft`;
  try {
    await writeFile(draft, `${JSON.stringify(ready)}\n`, { mode: 0o600, flag: 'wx' });
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}
