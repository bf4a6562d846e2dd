import type { PoolClient } from 'pg';
import type { Change } from '../storage/storage.ts';
import { changeSet } from './changes.ts';
import { type SqlParam, type Statement, type Transaction, statement } from './database.ts';
import { unavailable } from './faults.ts';
import { publication } from './postgres-changes.ts';
import { execute } from './postgres-connection.ts';
import { breaksConnection, isInTheWay } from './postgres-fault.ts';

/** How often a transaction is tried that another one was in the way of. */
const MOST_TRIES = 4;
/**
 * Milliseconds that a cut-off may be old when nothing but its commit is left to do. An instant that is older no longer
 * covers what nodes issue until they hear of it (cutoff/order.ts), so it is ordered anew.
 */
const FRESH_ORDER = 500;

export interface TransactionParts {
  readonly lend: <T>(work: (client: PoolClient) => Promise<T>) => Promise<T>;
  readonly node: string;
  readonly tell: (changes: readonly Change[]) => void;
}

export const BEGIN: Statement = statement('', 'BEGIN');
export const COMMIT: Statement = statement('', 'COMMIT');
export const ROLLBACK: Statement = statement('', 'ROLLBACK');
/** The row that every commit with changes needs: who has it waits for nobody at the end. */
const lockVersion: Statement = statement('', 'SELECT version FROM registry_version FOR UPDATE');

class StaleOrder extends Error {}

/**
 * READ COMMITTED: what must not change between reading and writing is guarded by the version of its record, which the
 * update compares under the row's lock. Deadlocks are rolled back by PostgreSQL and tried again.
 */
export async function inTransaction<T>(
  parts: TransactionParts,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  let lockFirst = false;
  for (let attempt = 1; ; attempt++) {
    const outcome = await parts.lend((client) => attemptOnce(client, parts, work, lockFirst));
    if (outcome.committed) {
      parts.tell(outcome.changes);
      return outcome.result;
    }
    const late = outcome.reason instanceof StaleOrder;
    lockFirst ||= late;
    if (attempt >= MOST_TRIES && late) throw unavailable('the database was too slow for a cut-off');
    if (attempt >= MOST_TRIES || !(late || isInTheWay(outcome.reason))) throw outcome.reason;
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 20 * attempt));
  }
}

type Outcome<T> =
  | { readonly committed: true; readonly result: T; readonly changes: readonly Change[] }
  | { readonly committed: false; readonly reason: unknown };

/** A transaction that was rolled back is an outcome; rejects with its reason when the connection may be broken. */
async function attemptOnce<T>(
  client: PoolClient,
  { node }: TransactionParts,
  work: (tx: Transaction) => Promise<T>,
  lockFirst: boolean,
): Promise<Outcome<T>> {
  const changes = changeSet();
  let orderedAt: number | undefined;
  const running = runningTransaction(client, (change) => {
    changes.add(change);
    if (change.kind === 'cutoffs') orderedAt ??= performance.now();
  });
  try {
    // Not awaited: it travels with the first statement. When it fails, so does that one.
    execute(client, BEGIN).catch((error: unknown) => running.tx.doom(error));
    if (lockFirst) await running.tx.query(lockVersion);
    const result = await work(running.tx);
    running.end();
    const list = changes.list();
    await commit(client, node, list, orderedAt);
    return { committed: true, result, changes: list };
  } catch (error) {
    running.abandon();
    const reason = running.doomed() ?? error;
    try {
      await execute(client, ROLLBACK);
    } catch {
      throw reason;
    }
    return { committed: false, reason };
  }
}

/** The publication is the last statement: the version's row, which all transactions share, is held the shortest. */
async function commit(
  client: PoolClient,
  node: string,
  changes: readonly Change[],
  orderedAt: number | undefined,
): Promise<void> {
  const published = changes.length === 0 ? undefined : execute(client, ...publication(node, changes));
  if (orderedAt !== undefined) {
    await published;
    if (performance.now() - orderedAt > FRESH_ORDER) throw new StaleOrder();
  }
  const [, { command }] = await Promise.all([published, execute(client, COMMIT).catch(outcomeUnknown)]);
  if (command !== 'COMMIT') throw unavailable('rolled back');
}

function outcomeUnknown(error: unknown): never {
  throw breaksConnection(error) ? unavailable('the outcome of a commit is unknown', error) : error;
}

interface RunningTransaction {
  readonly tx: Transaction;
  /** Throws the fault that has doomed it, if any. */
  end(): void;
  abandon(): void;
  doomed(): unknown;
}

function runningTransaction(client: PoolClient, changed: Transaction['changed']): RunningTransaction {
  let doom: { readonly error: unknown } | undefined;
  let over = false;
  const step = async <T>(perform: () => Promise<T>): Promise<T> => {
    if (over) throw new Error('a store was used after its transaction had ended');
    try {
      if (doom !== undefined) throw doom.error;
      return await perform();
    } catch (error) {
      doom ??= { error };
      throw doom.error;
    }
  };
  return {
    tx: {
      query: <R>(text: Statement, params?: readonly SqlParam[]) =>
        step(async () => (await execute<R>(client, text, params)).rows),
      run: (text, params) => step(async () => (await execute(client, text, params)).changes),
      changed,
      doom: (error) => {
        doom ??= { error };
      },
    },
    end: () => {
      over = true;
      if (doom !== undefined) throw doom.error;
    },
    abandon: () => {
      over = true;
    },
    doomed: () => doom?.error,
  };
}
