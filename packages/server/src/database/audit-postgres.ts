import { Client, Pool, type PoolClient } from 'pg';
import {
  type AuditEvent,
  type AuditFilter,
  type AuditPageRequest,
  type LoggedEvent,
  encodeEvent,
} from '../audit/event.ts';
import { type AuditSink, AuditUnavailable } from '../audit/sink.ts';
import { StorageError } from '../storage/errors.ts';
import { type Statement, statement } from './database.ts';
import { conditions } from './list.ts';
import {
  DURABLE_COMMIT,
  type PostgresParam,
  connect,
  connectionConfig,
  execute,
} from './postgres-connection.ts';
import { breaksConnection, postgresFault } from './postgres-fault.ts';
import { BEGIN, COMMIT, ROLLBACK } from './postgres-transaction.ts';

export interface PostgresAuditOptions {
  /** The database of the registry, opened before: `openPostgresStorage` makes the log's tables, too. */
  readonly url: string;
}

/** Holds the head's row until the commit: batches of all nodes come one after the other, and so do their numbers. */
const takeNumbers: Statement = statement(
  'audit_take_numbers',
  'UPDATE audit_head SET seq = seq + $1 RETURNING seq',
);
const insertEvents: Statement = statement(
  'audit_insert',
  `INSERT INTO audit_events (seq, event_id, at, type, outcome, identity, jti, parent, request_id, resource, body)
   SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
     $8::text[], $9::text[], $10::text[], $11::text[])`,
);
const selectKnown: Statement = statement(
  'audit_known',
  'SELECT event_id FROM audit_events WHERE event_id = ANY($1::text[])',
);

/**
 * The log as a table. The first batch opens the connection, and so does the first one after it was lost: until the
 * database answers, `commit` rejects.
 */
export function openPostgresAuditSink(options: PostgresAuditOptions): AuditSink {
  const config = connectionConfig({ url: options.url, name: 'countersign audit', timeouts: true });
  const pool = new Pool({ ...config, max: 2 });
  pool.on('error', () => undefined);
  pool.on('connect', (client: PoolClient) => client.on('error', () => undefined));
  return new PostgresAuditSink(options.url, pool);
}

class PostgresAuditSink implements AuditSink {
  readonly #url: string;
  /** For queries, so that a long one keeps no batch waiting. */
  readonly #pool: Pool;
  /** For batches: one at a time. */
  #writer: Client | undefined;
  #closed = false;

  constructor(url: string, pool: Pool) {
    this.#url = url;
    this.#pool = pool;
  }

  async commit(batch: readonly AuditEvent[]): Promise<void> {
    let client: Client | undefined;
    try {
      client = await this.#connected();
      await commitBatch(client, batch);
    } catch (error) {
      if (client !== undefined && breaksConnection(error)) this.#forget(client);
      throw new AuditUnavailable(error);
    }
  }

  async find(filter: AuditFilter, page: AuditPageRequest): Promise<readonly LoggedEvent[]> {
    const where = conditions();
    where.add(`seq > ${where.param(page.afterSeq)}`);
    where.equals('jti', filter.jti);
    where.equals('parent', filter.parent);
    where.equals('request_id', filter.requestId);
    where.equals('identity', filter.identity);
    where.equals('resource', filter.resource);
    where.equals('type', filter.type);
    where.equals('outcome', filter.outcome);
    if (filter.from !== undefined) where.add(`at >= ${where.param(filter.from)}`);
    if (filter.to !== undefined) where.add(`at < ${where.param(filter.to)}`);
    const limit = where.param(page.limit);
    const text = statement('', `SELECT body FROM audit_events ${where.text()} ORDER BY seq LIMIT ${limit}`);
    const rows = await this.#read<{ body: string }>((client) => execute(client, text, where.params));
    return rows.map((row) => JSON.parse(row.body) as LoggedEvent);
  }

  async known(eventIds: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.#read<{ event_id: string }>((client) => execute(client, selectKnown, [eventIds]));
    return new Set(rows.map((row) => row.event_id));
  }

  freeBytes(): undefined {
    return undefined;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#writer?.end().catch(() => undefined);
    await this.#pool.end();
  }

  async #connected(): Promise<Client> {
    if (this.#writer !== undefined) return this.#writer;
    if (this.#closed) throw new Error('the audit log is closed');
    const client = new Client(
      connectionConfig({ url: this.#url, name: 'countersign audit', timeouts: true }),
    );
    client.on('error', () => this.#forget(client));
    client.on('end', () => this.#forget(client));
    await connect(client);
    await execute(client, statement('', DURABLE_COMMIT));
    this.#writer = client;
    return client;
  }

  #forget(client: Client): void {
    if (this.#writer === client) this.#writer = undefined;
    void client.end().catch(() => undefined);
  }

  async #read<R>(ask: (client: PoolClient) => Promise<{ readonly rows: R[] }>): Promise<R[]> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw postgresFault(error);
    });
    try {
      const { rows } = await ask(client);
      client.release();
      return rows;
    } catch (error) {
      client.release(breaksConnection(error));
      throw error;
    }
  }
}

/**
 * All of it or none. An event that is in the log already makes the first try fail on its id, which costs the usual
 * batch nothing; the second try leaves out what is known. So it is with a batch whose commit was never answered.
 */
async function commitBatch(client: Client, batch: readonly AuditEvent[]): Promise<void> {
  const unique = [...new Map(batch.map((event) => [event.id, event])).values()];
  try {
    await insertBatch(client, unique);
  } catch (error) {
    if (!(error instanceof StorageError) || error.fault !== 'unique_conflict') throw error;
    const ids = unique.map((event) => event.id);
    const { rows } = await execute<{ event_id: string }>(client, selectKnown, [ids]);
    const known = new Set(rows.map((row) => row.event_id));
    await insertBatch(
      client,
      unique.filter((event) => !known.has(event.id)),
    );
  }
}

/** Two round trips: the number is needed for the bytes, everything else travels together. */
async function insertBatch(client: Client, events: readonly AuditEvent[]): Promise<void> {
  if (events.length === 0) return;
  try {
    const [, { rows }] = await Promise.all([
      execute(client, BEGIN),
      execute<{ seq: number }>(client, takeNumbers, [events.length]),
    ]);
    const last = rows[0]?.seq;
    if (last === undefined) throw new Error('audit_head has lost its row');
    const [, { command }] = await Promise.all([
      execute(client, insertEvents, columnsOf(events, last - events.length + 1)),
      execute(client, COMMIT),
    ]);
    if (command !== 'COMMIT') throw new Error('the batch was rolled back');
  } catch (error) {
    await execute(client, ROLLBACK);
    throw error;
  }
}

/** One array for each column. */
function columnsOf(events: readonly AuditEvent[], firstSeq: number): PostgresParam[] {
  return [
    events.map((_, index) => firstSeq + index),
    events.map((event) => event.id),
    events.map((event) => Date.parse(event.at)),
    events.map((event) => event.type),
    events.map((event) => event.outcome),
    events.map((event) => searchable(event.identity)),
    events.map((event) => searchable(event.jti)),
    events.map((event) => searchable(event.parent)),
    events.map((event) => searchable(event.request_id)),
    events.map((event) => searchable(event.resource)),
    events.map((event, index) => encodeEvent(event, firstSeq + index)),
  ];
}

/** PostgreSQL's text has no NUL. In the body it is escaped; such an event is found by its other properties. */
function searchable(text: string | undefined): string | null {
  return text === undefined ? null : text.replaceAll('\0', '\uFFFD');
}
