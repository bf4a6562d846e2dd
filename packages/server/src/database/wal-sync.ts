import { closeSync, fdatasync, openSync } from 'node:fs';
import { unavailable } from './faults.ts';

/**
 * Brings to the disk what was committed to the write-ahead log, while the event loop goes on. SQLite's own sync would hold it
 * up for as long as the disk takes: docs/decisions/0021-single-writes-synced-beside-the-event-loop.md.
 */
export interface WalSync {
  /** Resolves when all that was committed before the call is on the disk; calls that wait share a sync. Rejects `unavailable`. */
  flushed(): Promise<void>;
  /** The log may have been replaced by another file: the next sync looks for it again. */
  forget(): void;
  /** After what is under way. */
  close(): Promise<void>;
}

type Sync = (descriptor: number, done: (error: Error | null) => void) => void;

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** `path` is the log of an open database. */
export function walSync(path: string, sync: Sync = fdatasync): WalSync {
  let descriptor: number | undefined;
  let waiting: Waiting[] = [];
  let running: Promise<void> | undefined;
  /** The descriptor is in use and goes before the next sync. */
  let stale = false;

  function forget(): void {
    stale = running !== undefined;
    if (stale || descriptor === undefined) return;
    closeSync(descriptor);
    descriptor = undefined;
  }

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      const served = waiting;
      waiting = [];
      const error = await once();
      for (const { resolve, reject } of served) {
        if (error === undefined) resolve();
        else reject(error);
      }
    }
    running = undefined;
  }

  function once(): Promise<Error | undefined> {
    return new Promise((resolve) => {
      try {
        if (stale && descriptor !== undefined) closeSync(descriptor);
        if (stale) descriptor = undefined;
        stale = false;
        descriptor ??= openSync(path, 'r+');
        sync(descriptor, (error) => resolve(error === null ? undefined : unavailable('sync', error)));
      } catch (error) {
        resolve(unavailable('sync', error));
      }
    });
  }

  return {
    forget,
    flushed: () =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        running ??= run();
      }),
    async close() {
      await running;
      forget();
    },
  };
}
