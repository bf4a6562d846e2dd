import { dirname, resolve } from 'node:path';
import type { Host } from '../host.ts';
import { DEFAULT_READY_FILE, readReadyFile, type ReadyFile } from '../connection/ready-file.ts';
import type { ServingFlags } from './flags.ts';

/** The authority of the same place that holds this port: who starts it twice means that one. */
export function alreadyRunning(
  { cwd }: Pick<Host, 'cwd'>,
  { dataDir, readyFile }: Pick<ServingFlags, 'dataDir' | 'readyFile'>,
  port: number | undefined,
): ReadyFile | undefined {
  const folder = resolve(cwd, dataDir ?? dirname(DEFAULT_READY_FILE));
  const ready = readable(readyFile === undefined ? resolve(folder, 'ready.json') : resolve(cwd, readyFile));
  if (ready?.pid === undefined || portOf(ready.issuer) !== port) return undefined;
  return lives(ready.pid) ? ready : undefined;
}

function readable(path: string): ReadyFile | undefined {
  try {
    return readReadyFile(path);
  } catch {
    return undefined;
  }
}

function portOf(issuer: string): number | undefined {
  return URL.canParse(issuer) ? Number(new URL(issuer).port) : undefined;
}

/** A ready file outlives a process that was killed. */
function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
