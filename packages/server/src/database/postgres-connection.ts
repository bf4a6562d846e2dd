import { type Client, type ClientConfig, type PoolClient, types } from 'pg';
import { type SqlParam, type SqlValue, type Statement, bindable } from './database.ts';
import { postgresFault } from './postgres-fault.ts';

/** The object identifier of `bigint`; ours hold counts and epoch milliseconds, which a double holds exactly. */
const BIGINT = 20;

/** Milliseconds. The client's limit is the wider one: it is for a server that no longer answers. */
const STATEMENT_TIMEOUT = 10_000;
const ANSWER_TIMEOUT = 15_000;
const LOCK_TIMEOUT = 5_000;
const CONNECT_TIMEOUT = 5_000;

/**
 * A transaction is acknowledged when it is on disk, whatever the server's default is; stricter settings, such as a
 * synchronous standby that has applied it, are left alone.
 */
export const DURABLE_COMMIT =
  "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local')";

export interface PostgresConnect {
  readonly url: string;
  /** Shown by the server beside each connection. */
  readonly name: string;
  /** Without it a statement may take as long as it takes: for migrations. */
  readonly timeouts: boolean;
}

/** Statements are sent without waiting for the answer to the one before. */
export function connectionConfig(connect: PostgresConnect): ClientConfig {
  return {
    connectionString: connect.url,
    application_name: connect.name,
    pipeline: true,
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    types: {
      getTypeParser: (id: number, format?: 'text' | 'binary'): ((value: string) => unknown) =>
        id === BIGINT ? Number : (types.getTypeParser(id, format) as (value: string) => unknown),
    },
    ...(connect.timeouts && {
      statement_timeout: STATEMENT_TIMEOUT,
      query_timeout: ANSWER_TIMEOUT,
      lock_timeout: LOCK_TIMEOUT,
      idle_in_transaction_session_timeout: ANSWER_TIMEOUT,
    }),
  };
}

export interface Answer<R> {
  readonly rows: R[];
  readonly changes: number;
  /** What was done, e.g. `COMMIT`. */
  readonly command: string;
}

/** Resolves when the client may be used. */
export async function connect(client: Client): Promise<void> {
  try {
    await client.connect();
  } catch (error) {
    throw postgresFault(error);
  }
}

/** An array is one parameter of PostgreSQL's array type. */
export type PostgresParam = SqlParam | readonly SqlValue[];

/** Rejects with a fault of the port where there is one. */
export async function execute<R>(
  client: Client | PoolClient,
  text: Statement,
  params: readonly PostgresParam[] = [],
): Promise<Answer<R>> {
  const values = params.map((param) => (isArray(param) ? param : bindable(param)));
  const named = text.name === '' ? {} : { name: text.name };
  try {
    const result = await client.query({ ...named, text: text.postgres, values });
    return { rows: result.rows as R[], changes: result.rowCount ?? 0, command: result.command };
  } catch (error) {
    throw postgresFault(error);
  }
}

/** `Array.isArray` does not tell a read-only array from the rest. */
function isArray(param: PostgresParam): param is readonly SqlValue[] {
  return Array.isArray(param);
}
