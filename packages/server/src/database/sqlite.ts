import { closeSync, openSync, statSync } from 'node:fs';
import { type Clock, systemClock } from '../clock.ts';
import { StorageError } from '../storage/errors.ts';
import type { Storage } from '../storage/storage.ts';
import { changeFeed } from './changes.ts';
import { type Database, type SqlParam, type Statement, statement, type Transaction } from './database.ts';
import { unavailable } from './faults.ts';
import { migrate } from './migrate.ts';
import { type SqliteConnection, sqliteConnection } from './sqlite-connection.ts';
import { type SqliteDriver, loadSqlite } from './sqlite-driver.ts';
import { lockFile } from './sqlite-lock.ts';
import { type UsedOnceFile, sqliteUsedOnce } from './sqlite-used-once.ts';
import { type SqliteWriter, sqliteWriter } from './sqlite-writer.ts';
import { storageOn } from './stores.ts';

export interface SqliteOptions {
  /** The database file, made when absent (mode 0600); `:memory:` for one that ends with the process. */
  readonly path: string;
  readonly clock?: Clock | undefined;
  /** Proofs of one holder that are remembered as used. Default: PROOF_SHARE. */
  readonly proofShare?: number | undefined;
  /** How a database comes to have its tables. Default: by the migrations. */
  readonly makeTables?: ((tx: Transaction, clock: Clock) => Promise<void>) | undefined;
}

/** Beside the database: which proofs were used. Written for tokens, which no transaction of the registry holds up. */
const USED_ONCE = '.used-once';

/**
 * Opens the embedded database for this process alone: `<path>.lock` is held until `close` or the process's end.
 * Rejects when another process has it, when SQLite is too old, when the file is damaged or newer than this version.
 */
export async function openSqliteStorage(options: SqliteOptions): Promise<Storage> {
  const driver = await loadSqlite();
  const clock = options.clock ?? systemClock;
  const database = options.path === ':memory:' ? inMemory(driver) : inFile(driver, options.path);
  const makeTables = options.makeTables ?? ((tx: Transaction) => migrate(tx, 'sqlite', clock));
  try {
    await database.write((tx) => makeTables(tx, clock));
    const usedOnce = await sqliteUsedOnce(database.usedOnce, clock, options.proofShare);
    const storage = storageOn(database, clock, usedOnce);
    return {
      ...storage,
      close: async () => {
        await usedOnce.end();
        await storage.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** How a database is read, and what ends with it. */
interface Reading {
  query<R>(text: Statement, params?: readonly SqlParam[]): Promise<R[]>;
  /** Before the writer is closed: the last connection to go folds the WAL into the file. */
  close(): void;
  /** After it. */
  release(): void;
}

/** One connection: a read waits for the transaction that runs, so that it never sees half of it. */
function inMemory(driver: SqliteDriver): SqliteFiles {
  const open = (): SqliteConnection => sqliteConnection(driver, { path: ':memory:' });
  const writer = sqliteWriter(open);
  return databaseOn(writer, sqliteWriter(open), {
    query: <R>(text: Statement, params?: readonly SqlParam[]) =>
      writer.between((connection) => connection.query<R>(text, params)),
    close: () => undefined,
    release: () => undefined,
  });
}

/** A writer and, so that reads see what is committed and nothing else, a reader beside it. */
function inFile(driver: SqliteDriver, path: string): SqliteFiles {
  // SQLite gives its -wal and -shm files the mode of the database file.
  for (const file of [path, `${path}.lock`, path + USED_ONCE]) closeSync(openSync(file, 'a', 0o600));
  const lock = lockFile(driver, `${path}.lock`);
  try {
    // Closing empties the WAL: one that holds something was left by a crash.
    const crashed = (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
    const writer = sqliteWriter(() => sqliteConnection(driver, { path }));
    const reader = sqliteConnection(driver, { path, readOnly: true });
    if (crashed) checkIntegrity(reader, path);
    const usedOnce = sqliteWriter(() => sqliteConnection(driver, { path: path + USED_ONCE }));
    let closed = false;
    return databaseOn(writer, usedOnce, {
      query: async <R>(text: Statement, params?: readonly SqlParam[]) => {
        if (closed) throw unavailable('closed');
        return reader.query<R>(text, params);
      },
      close: () => {
        if (!closed) reader.close();
        closed = true;
      },
      release: lock.release,
    });
  } catch (error) {
    lock.release();
    if (!(error instanceof StorageError)) throw error;
    throw new Error(`${path} cannot be opened: ${error.detail}`, { cause: error });
  }
}

function checkIntegrity(connection: SqliteConnection, path: string): void {
  const rows = connection.query<{ quick_check: string }>(statement('', 'PRAGMA quick_check(10)'));
  const faults = rows.map((row) => row.quick_check).filter((line) => line !== 'ok');
  if (faults.length > 0) throw new Error(`${path} is damaged: ${faults.join('; ')}`);
}

const answer = statement('', 'SELECT version FROM registry_version');

/**
 * Every page is written anew, without what was free in it, and what the WAL had of before goes. What VACUUM cuts off the end of
 * the file is the file system's; `secure_delete` has it overwritten before.
 */
const SCRUB = ['PRAGMA secure_delete = ON', 'VACUUM', 'PRAGMA wal_checkpoint(TRUNCATE)'] as const;

/** The registry, and what is kept beside it. */
type SqliteFiles = Database & { readonly usedOnce: UsedOnceFile };

function databaseOn(writer: SqliteWriter, usedOnce: SqliteWriter, reading: Reading): SqliteFiles {
  const feed = changeFeed();
  return {
    usedOnce: {
      query: (text, params) => usedOnce.between((connection) => connection.query(text, params)),
      run: (text, params = []) => usedOnce.run(text, params),
    },
    query: (text, params) => reading.query(text, params),
    run: (text, params = []) => writer.run(text, params),
    write: (work) => writer.transaction(work, feed.tell),
    onChange: feed.onChange,
    coherent: () => true,
    staleness: 0,
    scrub: () =>
      writer.between((connection) => {
        for (const text of SCRUB) connection.exec(text);
      }),
    ping: async () => {
      await reading.query(answer);
    },
    close: async () => {
      reading.close();
      await Promise.all([writer.close(), usedOnce.close()]);
      reading.release();
    },
  };
}
