import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';

const CHUNK = Buffer.alloc(64 * 1024, 0x2e);

/** A small file system that a test may fill. */
export interface SmallDisk {
  readonly folder: string;
  /** Writes until nothing more fits. */
  fill(): void;
  /** Gives the space back. */
  free(): void;
  remove(): void;
}

/** Mounts a memory file system of the given size. Where mounting is not permitted the test is skipped with the reason. */
export function smallDisk(context: TestContext, folder: string, megabytes: number): SmallDisk {
  mkdirSync(folder, { recursive: true });
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700`, 'tmpfs', folder], {
    encoding: 'utf8',
  });
  if (mount.status !== 0) {
    const reason = `a small file system cannot be mounted here: ${(mount.stderr ?? String(mount.error)).trim()}`;
    if (process.env['COUNTERSIGN_REQUIRE'] === 'all') throw new Error(reason);
    return context.skip(reason);
  }
  const filler = join(folder, 'filler');
  return {
    folder,
    fill() {
      const handle = openSync(filler, 'a');
      try {
        for (let size = CHUNK.length; size >= 1; size = Math.floor(size / 2)) writeUntilFull(handle, size);
      } finally {
        closeSync(handle);
      }
    },
    free: () => rmSync(filler, { force: true }),
    remove() {
      // lazily: a database that a test has just closed may keep its file for a moment
      spawnSync('umount', ['-l', folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function writeUntilFull(handle: number, size: number): void {
  try {
    for (;;) if (writeSync(handle, CHUNK, 0, size) < size) return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
