import type { Clock } from '../src/clock.ts';
import { type SqlParam, statement, type Transaction } from '../src/database/database.ts';
import { migrate } from '../src/database/migrate.ts';
import { openSqliteStorage } from '../src/database/sqlite.ts';
import type { Storage } from '../src/storage/storage.ts';

/** What the migrations left: every table and index as SQLite wrote it down, and the rows in them. */
interface Migrated {
  readonly texts: readonly string[];
  readonly rows: readonly { readonly table: string; readonly row: Readonly<Record<string, SqlParam>> }[];
}

/** Of this process: tests open thousands of databases, and the migrations were nearly all that one of them costs. */
let migrated: Migrated | undefined;

/**
 * The embedded database in memory. The first is migrated; the others get their tables by the text that the first one keeps of them,
 * which is what SQLite itself reads when it opens a file.
 */
export async function openMemoryStorage(clock?: Clock): Promise<Storage> {
  return await openSqliteStorage({ path: ':memory:', clock, makeTables });
}

async function makeTables(tx: Transaction, clock: Clock): Promise<void> {
  if (migrated === undefined) {
    await migrate(tx, 'sqlite', clock);
    migrated = await contentsOf(tx);
    return;
  }
  for (const text of migrated.texts) await tx.run(statement('', text));
  for (const { table, row } of migrated.rows) {
    const names = Object.keys(row);
    const places = names.map((_, at) => `$${at + 1}`);
    const insert = `INSERT INTO ${table} (${names.join(', ')}) VALUES (${places.join(', ')})`;
    await tx.run(statement('', insert), Object.values(row));
  }
}

async function contentsOf(tx: Transaction): Promise<Migrated> {
  const select = 'SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid';
  const made = await tx.query<{ type: string; name: string; sql: string }>(statement('', select));
  const own = made.filter(({ name }) => !name.startsWith('sqlite_'));
  const rows = [];
  for (const { name } of own.filter(({ type }) => type === 'table')) {
    const found = await tx.query<Record<string, SqlParam>>(statement('', `SELECT * FROM ${name}`));
    rows.push(...found.map((row) => ({ table: name, row })));
  }
  return { texts: own.map(({ sql }) => sql), rows };
}
