import type { Change } from '../storage/storage.ts';

/**
 * The narrow driver that the stores are written against. It hides how parameters are bound, that booleans are the
 * integers 0 and 1, that instants are integers of epoch milliseconds, and which database answers.
 */

export type Dialect = 'sqlite' | 'postgres';

export type SqlValue = string | number | null;
export type SqlParam = SqlValue | boolean | undefined;

/**
 * One SQL text under its name. Parameters are `$1`, `$2` … in both databases, so that the text is sent as it is
 * written. The name is that of the prepared statement; an empty one is not kept by PostgreSQL.
 */
export interface Statement {
  readonly name: string;
  readonly sqlite: string;
  readonly postgres: string;
}

/** A statement; where the databases must differ, two texts with the same parameters side by side. */
export function statement(
  name: string,
  text: string | { readonly sqlite: string; readonly postgres: string },
): Statement {
  return typeof text === 'string' ? { name, sqlite: text, postgres: text } : { name, ...text };
}

export interface Connection {
  /** The rows; `R` names the columns that the statement selects. */
  query<R>(statement: Statement, params?: readonly SqlParam[]): Promise<R[]>;
  /** The number of rows changed. */
  run(statement: Statement, params?: readonly SqlParam[]): Promise<number>;
}

export interface Transaction extends Connection {
  /** Told to the listeners once the transaction is committed. */
  changed(change: Change): void;
  /** It will be rolled back and reject with this error, whatever else is done in it. */
  doom(error: unknown): void;
}

/**
 * What a store works on: the database itself, where each write is a transaction of its own, or a running
 * transaction. Reads never see what another transaction has not committed.
 */
export interface Session extends Connection {
  /** Several statements, all or none. */
  write<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
}

export interface Database extends Session {
  onChange(listener: (change: Change) => void): () => void;
  coherent(): boolean;
  /** See the port (storage/storage.ts). */
  readonly staleness: number;
  /** See the port. */
  scrub(): Promise<void>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

/**
 * A running transaction as a session: what a store would do in a transaction of its own becomes part of this one, and
 * what it rejects with ends this one, as PostgreSQL has it for most faults and the port for all.
 */
export function sessionOf(tx: Transaction): Session {
  return {
    query: (text, params) => tx.query(text, params),
    run: (text, params) => tx.run(text, params),
    write: async (work) => {
      try {
        return await work(tx);
      } catch (error) {
        tx.doom(error);
        throw error;
      }
    },
  };
}

/** PostgreSQL has no NUL in text; both databases refuse it, so that neither stores what the other cannot. */
export function bindable(param: SqlParam): SqlValue {
  if (param === undefined) return null;
  if (typeof param === 'boolean') return param ? 1 : 0;
  if (typeof param === 'string' && param.includes('\0')) throw new TypeError('NUL in text for the database');
  return param;
}
