import { StorageError } from '../storage/errors.ts';
import { type SqlParam, type SqlValue, type Statement, bindable } from './database.ts';
import { unavailable, uniqueConflictOfColumns } from './faults.ts';
import {
  type SqliteDatabase,
  type SqliteDriver,
  type SqliteStatement,
  closeDatabase,
  sqliteCode,
} from './sqlite-driver.ts';

/** Prepared statements kept: all the fixed ones and the usual filters. */
const MOST_PREPARED = 256;

/** Primary result codes that say nothing of the statement but all of the disk, the file or a lock. */
const OUTAGE: ReadonlyMap<number, string> = new Map([
  [5, 'busy'],
  [6, 'locked'],
  [7, 'out of memory'],
  [8, 'read only'],
  [10, 'input or output error'],
  [11, 'corrupt'],
  [13, 'disk full'],
  [14, 'cannot open'],
  [26, 'not a database'],
]);
const CONSTRAINT_FOREIGNKEY = 787;
const CONSTRAINT_PRIMARYKEY = 1555;
const CONSTRAINT_UNIQUE = 2067;

/** A fault of the port where there is one for it; anything else is a bug and stays as it is. */
export function sqliteFault(error: unknown): unknown {
  const code = sqliteCode(error);
  if (!(error instanceof Error) || code === undefined) return error;
  if (code === CONSTRAINT_FOREIGNKEY) return new StorageError('missing_reference', 'reference', error);
  if (code === CONSTRAINT_UNIQUE || code === CONSTRAINT_PRIMARYKEY) {
    return uniqueConflictOfColumns(error.message.replace(/^UNIQUE constraint failed: /, ''), error);
  }
  const outage = OUTAGE.get(code & 0xff);
  return outage === undefined ? error : unavailable(outage, error);
}

interface Prepared {
  readonly statement: SqliteStatement;
  /** Used again for every call, so that the driver sees one object shape. */
  readonly bound: Record<string, SqlValue>;
  readonly names: readonly string[];
}

/** One connection: everything on it is synchronous; statements are prepared once. */
export interface SqliteConnection {
  query<R>(text: Statement, params?: readonly SqlParam[]): R[];
  run(text: Statement, params?: readonly SqlParam[]): number;
  exec(text: string): void;
  close(): void;
}

export interface SqliteConnectionOptions {
  readonly path: string;
  readonly readOnly?: boolean;
  /** Milliseconds; they pass on the event loop, but only while a foreign program holds the file. */
  readonly busyTimeout?: number;
}

export function sqliteConnection(driver: SqliteDriver, options: SqliteConnectionOptions): SqliteConnection {
  const database = openConfigured(driver, options);
  const prepared = new Map<string, Prepared>();

  const prepare = (text: string, count: number): Prepared => {
    const known = prepared.get(text);
    if (known !== undefined) return known;
    const oldest = prepared.keys().next();
    if (prepared.size >= MOST_PREPARED && oldest.done === false) prepared.delete(oldest.value);
    const names = Array.from({ length: count }, (_, index) => `$${index + 1}`);
    const bound = Object.fromEntries(names.map((name) => [name, null]));
    const entry = { statement: database.prepare(text), bound, names };
    prepared.set(text, entry);
    return entry;
  };
  const call = <T>(
    text: Statement,
    params: readonly SqlParam[],
    step: (statement: SqliteStatement, bound: Record<string, SqlValue>) => T,
  ): T => {
    try {
      const { statement, bound, names } = prepare(text.sqlite, params.length);
      for (const [index, name] of names.entries()) bound[name] = bindable(params[index]);
      return step(statement, bound);
    } catch (error) {
      throw sqliteFault(error);
    }
  };
  return {
    query: <R>(text: Statement, params: readonly SqlParam[] = []) =>
      call(text, params, (statement, bound) => statement.all(bound)) as R[],
    run: (text, params = []) =>
      call(text, params, (statement, bound) => Number(statement.run(bound).changes)),
    exec: (text) => {
      try {
        database.exec(text);
      } catch (error) {
        throw sqliteFault(error);
      }
    },
    close: () => {
      prepared.clear();
      closeDatabase(database);
    },
  };
}

function openConfigured(driver: SqliteDriver, options: SqliteConnectionOptions): SqliteDatabase {
  const database = driver.open(options.path);
  try {
    database.exec(`PRAGMA busy_timeout = ${options.busyTimeout ?? 2000}`);
    database.exec('PRAGMA journal_mode = WAL');
    database.exec('PRAGMA synchronous = FULL');
    database.exec('PRAGMA foreign_keys = ON');
    database.exec('PRAGMA trusted_schema = OFF');
    database.exec('PRAGMA temp_store = MEMORY');
    database.exec('PRAGMA cache_size = -16384');
    database.exec('PRAGMA journal_size_limit = 67108864');
    if (options.readOnly === true) database.exec('PRAGMA query_only = ON');
    return database;
  } catch (error) {
    database.close();
    throw sqliteFault(error);
  }
}
