import { randomBytes } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';

/** What the ready file says. */
export interface ReadyFile {
  readonly pid: number;
  readonly version: string;
  /** What workloads get as `SPIFFE_ENDPOINT_SOCKET`. */
  readonly endpoint_socket: string;
}

/** Whole or not at all, mode 0600: who waits for the file may read it the moment it is there. */
export async function writeReadyFile(path: string, ready: ReadyFile): Promise<void> {
  const draft = `${path}.${randomBytes(12).toString('hex')}.draft`;
  try {
    await writeFile(draft, `${JSON.stringify(ready)}\n`, { mode: 0o600, flag: 'wx' });
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}
