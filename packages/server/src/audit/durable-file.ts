import { close, constants, fdatasync, ftruncate, open, write } from 'node:fs';
import { open as openHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

const openFile = promisify(open);
const closeFile = promisify(close);
const truncateFile = promisify(ftruncate);
const syncFile = promisify(fdatasync);

/** Where the platform has O_DSYNC, a write is durable when it returns: one visit to the thread pool instead of two. */
const SYNCHRONOUS: number = (constants as { O_DSYNC?: number }).O_DSYNC ?? 0;

/** A file whose writes are durable when they resolve. One write at a time: two in flight could swap. */
export class DurableFile {
  readonly #descriptor: number;

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Opens or makes the file (mode 0600); its name in the directory is durable too. */
  static async open(path: string): Promise<DurableFile> {
    const flags = constants.O_RDWR | constants.O_CREAT | SYNCHRONOUS;
    const file = new DurableFile(await openFile(path, flags, 0o600));
    const directory = await openHandle(dirname(path), 'r');
    await directory.sync();
    await directory.close();
    return file;
  }

  /** Writes all of `bytes` at `position` and syncs them. After a rejection any part of them may be there. */
  writeAt(bytes: Uint8Array, position: number): Promise<void> {
    return new Promise((resolve, reject) => this.#write(bytes, 0, position, resolve, reject));
  }

  #write(
    bytes: Uint8Array,
    from: number,
    position: number,
    resolve: () => void,
    reject: (error: unknown) => void,
  ): void {
    // Callbacks: this runs once per commit, and a promise of node:fs/promises costs more than the write's own work.
    write(this.#descriptor, bytes, from, bytes.length - from, position + from, (error, written) => {
      if (error !== null) reject(error);
      else if (from + written < bytes.length) this.#write(bytes, from + written, position, resolve, reject);
      else if (SYNCHRONOUS !== 0) resolve();
      else syncFile(this.#descriptor).then(resolve, reject);
    });
  }

  async truncate(length: number): Promise<void> {
    await truncateFile(this.#descriptor, length);
    await syncFile(this.#descriptor);
  }

  close(): Promise<void> {
    return closeFile(this.#descriptor);
  }
}
