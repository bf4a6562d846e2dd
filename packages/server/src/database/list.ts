import type { Due, DuePage, Page, PageRequest } from '../storage/page.ts';
import { type Connection, type SqlParam, type Statement, statement } from './database.ts';

/** The conditions of a list with its parameters: only the filters that were given are in the text. */
export interface Conditions {
  readonly params: readonly SqlParam[];
  /** The place of a new parameter. */
  param(value: SqlParam): string;
  add(condition: string): void;
  /** Nothing when `value` is undefined. */
  equals(column: string, value: SqlParam): void;
  /** `text` is in one of the columns, case-insensitively for ASCII. Nothing when it is undefined. */
  contains(columns: readonly string[], text: string | undefined): void;
  /** `WHERE …`, or nothing. */
  text(): string;
}

export function conditions(): Conditions {
  const params: SqlParam[] = [];
  const parts: string[] = [];
  const param = (value: SqlParam): string => `$${params.push(value)}`;
  return {
    params,
    param,
    add: (condition) => void parts.push(condition),
    equals: (column, value) => {
      if (value !== undefined) parts.push(`${column} = ${param(value)}`);
    },
    contains: (columns, text) => {
      if (text === undefined) return;
      const pattern = param(`%${lowerAscii(text).replace(/[\\%_]/g, '\\$&')}%`);
      parts.push(`(${columns.map((name) => `lower(${name}) LIKE ${pattern} ESCAPE '\\'`).join(' OR ')})`);
    },
    text: () => (parts.length === 0 ? '' : `WHERE ${parts.join(' AND ')}`),
  };
}

/** As `lower` of both databases does it (PostgreSQL under collation "C"): A to Z and nothing else. */
export function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** The columns of the keyset position. */
export interface PageKey {
  readonly createdAt: string;
  readonly id: string;
}

/** Of a table that stands alone in its statement. */
export const OLDEST_FIRST: PageKey = { createdAt: 'created_at', id: 'id' };

/** The statement for one page: one row more than asked tells whether there is a next one. */
export function pageStatement(select: string, where: Conditions, key: PageKey, page: PageRequest): Statement {
  const { createdAt, id } = key;
  if (page.after !== undefined) {
    const { after } = page;
    where.add(`(${createdAt}, ${id}) > (${where.param(after.createdAt)}, ${where.param(after.id)})`);
  }
  const limit = where.param(page.limit + 1);
  return statement('', `${select} ${where.text()} ORDER BY ${createdAt}, ${id} LIMIT ${limit}`);
}

/** Cuts the row too many and tells where the next page starts. */
export function pageOf<T extends { readonly createdAt: number; readonly id: string }>(
  rows: readonly T[],
  limit: number,
): Page<T> {
  if (rows.length <= limit) return { items: rows };
  const items = rows.slice(0, limit);
  const last = items[items.length - 1];
  return last === undefined ? { items } : { items, next: { createdAt: last.createdAt, id: last.id } };
}

/**
 * What is due by the column `at` of `table`, as far as `condition` holds, which an index begins with: the longest overdue
 * first. `$1` is the latest instant, `$2` and `$3` the position, `$4` the limit.
 */
export function dueStatement(table: string, at: string, condition: string): Statement {
  return statement(
    '',
    `SELECT id, ${at} AS at FROM ${table} WHERE ${condition} AND ${at} <= $1 AND (${at}, id) > ($2, $3)
     ORDER BY ${at}, id LIMIT $4`,
  );
}

export async function duePage(
  connection: Connection,
  text: Statement,
  until: number,
  { limit, after }: DuePage,
): Promise<readonly Due[]> {
  return await connection.query<Due>(text, [until, after?.at ?? -1, after?.id ?? '', limit]);
}
