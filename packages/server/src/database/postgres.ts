import { randomUUID } from 'node:crypto';
import { Client, Pool, type PoolClient } from 'pg';
import { type Clock, systemClock } from '../clock.ts';
import type { Change, Storage } from '../storage/storage.ts';
import { changeFeed } from './changes.ts';
import { type Database, type Statement, type Transaction, statement } from './database.ts';
import { migrate } from './migrate.ts';
import { type ChangeListener, STALE_AFTER, listenForChanges } from './postgres-changes.ts';
import { DURABLE_COMMIT, connect, connectionConfig, execute } from './postgres-connection.ts';
import { breaksConnection, postgresFault } from './postgres-fault.ts';
import { BEGIN, COMMIT, inTransaction } from './postgres-transaction.ts';
import { postgresUsedOnce } from './postgres-used-once.ts';
import { storageOn } from './stores.ts';

export interface PostgresOptions {
  /** `postgres://…`; the database exists, its tables need not. */
  readonly url: string;
  readonly clock?: Clock | undefined;
  /** Connections for statements, beside the one that listens. 10 when absent. */
  readonly connections?: number | undefined;
  /** Proofs of one holder that this node remembers as used. Default: PROOF_SHARE. */
  readonly proofShare?: number | undefined;
}

/**
 * Opens a database that several nodes may share. Rejects with `unavailable` when it cannot be reached, and when a
 * newer version of Countersign has changed it.
 */
export async function openPostgresStorage(options: PostgresOptions): Promise<Storage> {
  const clock = options.clock ?? systemClock;
  const node = randomUUID();
  const feed = changeFeed();
  await migrateAlone(options.url, clock);
  const listener = await listenForChanges({ url: options.url, node, tell: feed.tell });
  const config = connectionConfig({ url: options.url, name: 'countersign', timeouts: true });
  const pool = new Pool({ ...config, max: options.connections ?? 10 });
  watch(pool);
  const database = databaseOn({ pool, listener, node, ...feed });
  return storageOn(database, clock, postgresUsedOnce(database, clock, options.proofShare));
}

/** An advisory lock of our own: nodes that start together migrate one after the other. */
const lockMigrations = statement('', 'SELECT pg_advisory_xact_lock(4026531841)');

async function migrateAlone(url: string, clock: Clock): Promise<void> {
  const client = new Client(connectionConfig({ url, name: 'countersign migrate', timeouts: false }));
  client.on('error', () => undefined);
  await connect(client);
  const tx: Transaction = {
    query: async <R>(text: Statement, params?: Parameters<Transaction['query']>[1]) =>
      (await execute<R>(client, text, params)).rows,
    run: async (text, params) => (await execute(client, text, params)).changes,
    changed: () => undefined,
    doom: () => undefined,
  };
  try {
    await execute(client, BEGIN);
    await tx.query(lockMigrations);
    await migrate(tx, 'postgres', clock);
    await execute(client, COMMIT);
  } finally {
    await client.end();
  }
}

/** A connection that breaks while nobody uses it is the pool's business, not the process's end. */
function watch(pool: Pool): void {
  pool.on('error', () => undefined);
  pool.on('connect', (client: PoolClient) => {
    client.on('error', () => undefined);
    client.query(DURABLE_COMMIT).catch(() => undefined);
  });
}

interface Parts {
  readonly pool: Pool;
  readonly listener: ChangeListener;
  readonly node: string;
  readonly tell: (changes: readonly Change[]) => void;
  readonly onChange: (listener: (change: Change) => void) => () => void;
}

/** Writes the table anew and drops the file that it had, in which rows stay that were overwritten. Only of the one that had a secret taken away. */
const scrub = statement('', 'VACUUM (FULL) certificate_authorities');
const answer = statement('', 'SELECT 1');

function databaseOn({ pool, listener, node, tell, onChange }: Parts): Database {
  /** Lends a connection; one that may be broken is not given back. */
  const lend = async <T>(work: (client: PoolClient) => Promise<T>): Promise<T> => {
    const client = await pool.connect().catch((error: unknown) => {
      throw postgresFault(error);
    });
    try {
      const result = await work(client);
      client.release();
      return result;
    } catch (error) {
      client.release(breaksConnection(error));
      throw error;
    }
  };
  let closed = false;
  return {
    query: <R>(text: Statement, params?: Parameters<Database['query']>[1]) =>
      lend(async (client) => (await execute<R>(client, text, params)).rows),
    run: (text, params) => lend(async (client) => (await execute(client, text, params)).changes),
    write: (work) => inTransaction({ lend, node, tell }, work),
    onChange,
    coherent: () => listener.coherent(),
    staleness: STALE_AFTER,
    scrub: () => lend(async (client) => void (await execute(client, scrub))),
    ping: () => lend(async (client) => void (await execute(client, answer))),
    close: async () => {
      if (closed) return;
      closed = true;
      await listener.close();
      await pool.end();
    },
  };
}
