/** What is used of `node:sqlite`, which `@photostructure/sqlite` has too. */
export interface SqliteStatement {
  all(...params: unknown[]): unknown[];
  run(...params: unknown[]): { readonly changes: number | bigint };
}

export interface SqliteDatabase {
  exec(text: string): void;
  prepare(text: string): SqliteStatement;
  close(): void;
}

/**
 * Folds the WAL into the file and empties it, then closes. `@photostructure/sqlite` keeps the files open until the
 * statements have been collected as garbage: closing alone would leave there what looks like the end of a crash.
 */
export function closeDatabase(database: SqliteDatabase): void {
  try {
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch {
    // A full disk, or a connection that may not write: the next start does it.
  }
  database.close();
}

export interface SqliteDriver {
  open(path: string): SqliteDatabase;
  readonly version: string;
}

/** SQLite's own texts for its result codes, for errors of `@photostructure/sqlite` that come without the code. */
const CODES: readonly (readonly [string, number])[] = [
  ['UNIQUE constraint failed', 2067],
  ['FOREIGN KEY constraint failed', 787],
  ['database is locked', 5],
  ['database table is locked', 6],
  ['out of memory', 7],
  ['attempt to write a readonly database', 8],
  ['disk I/O error', 10],
  ['database disk image is malformed', 11],
  ['database or disk is full', 13],
  ['unable to open database file', 14],
  ['file is not a database', 26],
];

/** SQLite's extended result code of an error; undefined when it is not SQLite's. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_SQLITE_ERROR') return undefined;
  if ('errcode' in error && typeof error.errcode === 'number') return error.errcode;
  return CODES.find(([text]) => error.message.startsWith(text))?.[1];
}

/** Older ones can lose commits when two connections share a WAL: the WAL-reset bug, fixed in 3.51.3. */
const OLDEST = [3, 51, 3] as const;

interface SqliteModule {
  readonly DatabaseSync: new (path: string) => SqliteDatabase;
}

export function isRecentEnough(version: string): boolean {
  const parts = version.split('.').map(Number);
  for (const [index, least] of OLDEST.entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}

function driverOf(module: SqliteModule): SqliteDriver {
  const open = (path: string): SqliteDatabase => new module.DatabaseSync(path);
  const probe = open(':memory:');
  const [row] = probe.prepare('SELECT sqlite_version() AS version').all() as { version: string }[];
  probe.close();
  return { open, version: row?.version ?? '0' };
}

/** `node:sqlite` where this Node has it and its SQLite is recent enough, else `@photostructure/sqlite`. */
export async function loadSqlite(): Promise<SqliteDriver> {
  const found: string[] = [];
  const builtIn = process.getBuiltinModule('node:sqlite') as SqliteModule | undefined;
  if (builtIn !== undefined) {
    const driver = driverOf(builtIn);
    if (isRecentEnough(driver.version)) return driver;
    found.push(`node:sqlite has ${driver.version}`);
  }
  try {
    const driver = driverOf(await import('@photostructure/sqlite'));
    if (isRecentEnough(driver.version)) return driver;
    found.push(`@photostructure/sqlite has ${driver.version}`);
  } catch (error) {
    found.push(`@photostructure/sqlite cannot be loaded: ${String(error)}`);
  }
  throw new Error(
    `SQLite ${OLDEST.join('.')} or newer is needed (older ones can lose commits): ${found.join('; ')}. ` +
      'Use Node 24 or newer, install @photostructure/sqlite, or use PostgreSQL.',
  );
}
