import { sqliteFault } from './sqlite-connection.ts';
import type { SqliteDriver } from './sqlite-driver.ts';

export interface FileLock {
  readonly release: () => void;
}

/** Another process holds the data. `name` is what the command line knows it by. */
export class DataLocked extends Error {
  override readonly name = 'DataLocked';
}

/**
 * Holds `path` for this process: an exclusive transaction on a small database of its own. The operating system lets
 * go of it when the process ends, however it ends, so that no stale lock is ever left behind.
 */
export function lockFile(driver: SqliteDriver, path: string): FileLock {
  const database = driver.open(path);
  try {
    database.exec('PRAGMA busy_timeout = 0');
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    const fault = sqliteFault(error);
    if (isBusy(fault))
      throw new DataLocked(`another authority runs on this data: ${path} is locked`, { cause: error });
    throw fault;
  }
  let held = true;
  return {
    release: () => {
      if (held) database.close();
      held = false;
    },
  };
}

function isBusy(fault: unknown): boolean {
  return (
    fault instanceof Error && 'detail' in fault && (fault.detail === 'busy' || fault.detail === 'locked')
  );
}
