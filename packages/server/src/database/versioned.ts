import { StorageError } from '../storage/errors.ts';
import type { Page, PageRequest } from '../storage/page.ts';
import { type Connection, type SqlParam, type Statement, type Transaction, statement } from './database.ts';
import { type Conditions, conditions, OLDEST_FIRST, pageOf, pageStatement } from './list.ts';

/** Later than every instant: `valid_to` of the version that holds. Exact as a double. */
export const FOREVER = 9_007_199_254_740_991;

interface Versioned {
  readonly id: string;
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface VersionedSpec<Rec extends Versioned, R> {
  readonly table: string;
  /** Has the columns of `table`, and `valid_from`, `valid_to`. */
  readonly history: string;
  /** Begins with `id`; ends with `version`. */
  readonly columns: readonly (keyof R & string)[];
  /** Given at insertion for ever: a replacement that alters one finds no row to replace. */
  readonly fixed: readonly (keyof R & string)[];
  readonly toRow: (record: Rec) => { readonly [K in keyof R]: SqlParam };
  readonly fromRow: (row: R) => Rec;
}

/**
 * A table whose records are replaced by compare-and-swap, beside the table of all their versions. Version n holds
 * from its `updated_at` until that of the next one; where a clock went backwards the higher version wins, and nothing
 * is before its `created_at`.
 */
export interface VersionedTable<Rec extends Versioned> {
  /** The columns, for a select list. */
  readonly columns: string;
  insert(tx: Transaction, record: Rec): Promise<void>;
  /** `version_conflict` unless the stored version is `record.version - 1`. */
  replace(tx: Transaction, record: Rec): Promise<void>;
  /** Nobody replaces the row before this transaction ends. `version_conflict` unless it is still this version. */
  hold(tx: Transaction, record: Pick<Rec, 'id' | 'version'>): Promise<void>;
  byId(connection: Connection, id: string): Promise<Rec | undefined>;
  /** In any order; those that are not there are left out. */
  byIds(connection: Connection, ids: readonly string[]): Promise<Rec[]>;
  asOf(connection: Connection, id: string, at: number): Promise<Rec | undefined>;
  /** The records of a statement that selects `columns`. */
  select(connection: Connection, text: Statement, params: readonly SqlParam[]): Promise<Rec[]>;
  /** One page of those that meet `where`, oldest first. */
  list(connection: Connection, where: Conditions, page: PageRequest): Promise<Page<Rec>>;
}

export function versionedTable<Rec extends Versioned, R>(spec: VersionedSpec<Rec, R>): VersionedTable<Rec> {
  const { table, history, columns, fixed } = spec;
  const list = columns.join(', ');
  const place = (column: keyof R & string): string => `$${columns.indexOf(column) + 1}`;
  const mutable = columns.filter((column) => column !== 'id' && !fixed.includes(column));
  const insertRow = statement(
    `${table}_insert`,
    `INSERT INTO ${table} (${list}) VALUES (${columns.map(place).join(', ')})`,
  );
  const replaceRow = statement(
    `${table}_replace`,
    `UPDATE ${table} SET ${mutable.map((column) => `${column} = ${place(column)}`).join(', ')}
     WHERE id = $1 AND version = $${columns.length + 1}
       ${fixed.map((column) => `AND ${column} = ${place(column)}`).join(' ')}`,
  );
  const endVersion = statement(
    `${history}_end`,
    `UPDATE ${history} SET valid_to = $2 WHERE id = $1 AND valid_to > $2`,
  );
  const keepVersion = statement(
    `${history}_keep`,
    `INSERT INTO ${history} (${list}, valid_from, valid_to)
     SELECT ${list}, updated_at, ${FOREVER} FROM ${table} WHERE id = $1`,
  );
  // An UPDATE that changes nothing: the row lock that both databases have.
  const holdRow = statement(
    `${table}_hold`,
    `UPDATE ${table} SET version = version WHERE id = $1 AND version = $2`,
  );
  const selectById = statement(`${table}_by_id`, `SELECT ${list} FROM ${table} WHERE id = $1`);
  const selectAsOf = statement(
    `${history}_as_of`,
    `SELECT ${list} FROM ${history}
     WHERE id = $1 AND created_at <= $2 AND valid_from <= $2 AND valid_to > $2`,
  );
  const values = (record: Rec): SqlParam[] => {
    const row = spec.toRow(record);
    return columns.map((column) => row[column]);
  };
  const select = async (connection: Connection, text: Statement, params: readonly SqlParam[]) =>
    (await connection.query<R>(text, params)).map(spec.fromRow);

  return {
    columns: list,
    select,
    insert: async (tx, record) => {
      await tx.run(insertRow, values(record));
      await tx.run(keepVersion, [record.id]);
    },
    replace: async (tx, record) => {
      const replaced = await tx.run(replaceRow, [...values(record), record.version - 1]);
      if (replaced === 0) throw new StorageError('version_conflict', table);
      await tx.run(endVersion, [record.id, record.updatedAt]);
      await tx.run(keepVersion, [record.id]);
    },
    hold: async (tx, { id, version }) => {
      if ((await tx.run(holdRow, [id, version])) === 0) throw new StorageError('version_conflict', table);
    },
    byId: async (connection, id) => (await select(connection, selectById, [id]))[0],
    byIds: async (connection, ids) => {
      if (ids.length === 0) return [];
      const where = conditions();
      where.add(`id IN (${ids.map((id) => where.param(id)).join(', ')})`);
      const text = statement('', `SELECT ${list} FROM ${table} ${where.text()}`);
      return await select(connection, text, where.params);
    },
    asOf: async (connection, id, at) => (await select(connection, selectAsOf, [id, at]))[0],
    list: async (connection, where, page) => {
      const text = pageStatement(`SELECT ${list} FROM ${table}`, where, OLDEST_FIRST, page);
      return pageOf(await select(connection, text, where.params), page.limit);
    },
  };
}
