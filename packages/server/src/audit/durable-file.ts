import { close, constants, fdatasync, fstat, ftruncate, open, write } from 'node:fs';
import { open as openHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

const openFile = promisify(open);
const closeFile = promisify(close);
const truncateFile = promisify(ftruncate);
const syncFile = promisify(fdatasync);
const statFile = promisify(fstat);
const writeFile = promisify(write);

/** Where the platform has O_DSYNC, a write is durable when it returns: one visit to the thread pool instead of two. */
const SYNCHRONOUS: number = (constants as { O_DSYNC?: number }).O_DSYNC ?? 0;

/** Zeros are written in pieces of this size, so that no single write keeps a thread or the disk for long. */
const PIECE = 512 * 1024;

/**
 * A file whose writes are durable when they resolve. One write at a time: two in flight could swap. Room can be laid out
 * ahead as zeros: a write into it changes bytes only and no length, which spares the file system's journal and half the
 * cost of making it durable (docs/decisions/0011-room-ahead-in-the-audit-log.md).
 */
export class DurableFile {
  readonly #descriptor: number;
  /** Bytes in the file, those laid out included. */
  #end: number;
  #reserving: Promise<void> | undefined;

  private constructor(descriptor: number, end: number) {
    this.#descriptor = descriptor;
    this.#end = end;
  }

  /** Opens or makes the file (mode 0600); its name in the directory is durable too. */
  static async open(path: string): Promise<DurableFile> {
    const flags = constants.O_RDWR | constants.O_CREAT | SYNCHRONOUS;
    const descriptor = await openFile(path, flags, 0o600);
    const { size } = await statFile(descriptor);
    const file = new DurableFile(descriptor, size);
    const directory = await openHandle(dirname(path), 'r');
    await directory.sync();
    await directory.close();
    return file;
  }

  /** Writes all of `bytes` at `position` and syncs them. After a rejection any part of them may be there. */
  writeAt(bytes: Uint8Array, position: number): Promise<void> {
    const end = position + bytes.length;
    // Beyond what is there, a write would race with the zeros that are being laid out.
    if (end > this.#end && this.#reserving !== undefined) {
      return this.#reserving.then(() => this.writeAt(bytes, position));
    }
    if (end > this.#end) this.#end = end;
    return new Promise((resolve, reject) => this.#write(bytes, 0, position, resolve, reject));
  }

  /** Bytes laid out behind `position`. */
  roomBehind(position: number): number {
    return this.#end - position;
  }

  /**
   * Lays out zeros up to `end`, while writes before the present end go on. Never rejects: what cannot be laid out, as for
   * want of space, is left to the writes themselves. Call it between two writes.
   */
  reserve(end: number): Promise<void> {
    this.#reserving ??= this.#layOut(end).finally(() => {
      this.#reserving = undefined;
    });
    return this.#reserving;
  }

  async #layOut(end: number): Promise<void> {
    const zeros = Buffer.alloc(Math.max(0, Math.min(PIECE, end - this.#end)));
    try {
      while (this.#end < end) {
        const length = Math.min(zeros.length, end - this.#end);
        const { bytesWritten } = await writeFile(this.#descriptor, zeros, 0, length, this.#end);
        this.#end += bytesWritten;
      }
    } catch {
      // Half a piece may be there; the size is not asked, because a later write may begin at any place up to it.
    }
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
    await this.#reserving;
    await truncateFile(this.#descriptor, length);
    this.#end = length;
    await syncFile(this.#descriptor);
  }

  async close(): Promise<void> {
    await this.#reserving;
    await closeFile(this.#descriptor);
  }
}
