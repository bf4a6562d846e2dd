import type { Change } from '../storage/storage.ts';
import { StorageError } from '../storage/errors.ts';
import { type ChangeSet, changeSet } from './changes.ts';
import type { SqlParam, Statement, Transaction } from './database.ts';
import { unavailable } from './faults.ts';
import type { SqliteConnection } from './sqlite-connection.ts';

/** Single writes that wait together are committed together, at most this many. */
const MOST_IN_GROUP = 512;

interface SingleWrite {
  readonly text: Statement;
  readonly params: readonly SqlParam[];
  readonly resolve: (changes: number) => void;
  readonly reject: (error: unknown) => void;
}

type Job =
  | ({ readonly kind: 'single' } & SingleWrite)
  | { readonly kind: 'exclusive'; readonly perform: () => Promise<void> };

/**
 * The one writer of an SQLite database: transactions take turns in the order in which they were asked for. Single
 * writes of one turn of the event loop share a transaction, and so a sync.
 */
export interface SqliteWriter {
  run(text: Statement, params: readonly SqlParam[]): Promise<number>;
  /** Resolves after the commit, and after `committed` has returned. */
  transaction<T>(
    work: (tx: Transaction) => Promise<T>,
    committed: (changes: readonly Change[]) => void,
  ): Promise<T>;
  /** Runs between transactions, e.g. a read of a database that has but one connection. */
  between<T>(work: (connection: SqliteConnection) => T): Promise<T>;
  /** Lets what was asked before end, refuses what is asked from now on. */
  close(): Promise<void>;
}

/** `open` makes the connection, again after one that could not be rolled back. */
export function sqliteWriter(open: () => SqliteConnection): SqliteWriter {
  let connection: SqliteConnection | undefined = open();
  const jobs: Job[] = [];
  let draining = false;
  let closed = false;

  const current = (): SqliteConnection => {
    connection ??= open();
    return connection;
  };
  const rollback = (): void => {
    try {
      connection?.exec('ROLLBACK');
    } catch (error) {
      // After a full disk SQLite may have rolled back by itself; any other refusal needs a new connection.
      if (error instanceof Error && error.message.includes('no transaction is active')) return;
      const broken = connection;
      connection = undefined;
      broken?.close();
    }
  };
  const commitGroup = (group: readonly SingleWrite[]): void => {
    const results: (() => void)[] = [];
    try {
      current().exec('BEGIN IMMEDIATE');
      for (const { text, params, resolve, reject } of group) {
        try {
          const changes = current().run(text, params);
          results.push(() => resolve(changes));
        } catch (error) {
          if (error instanceof StorageError && error.fault === 'unavailable') throw error;
          results.push(() => reject(error));
        }
      }
      current().exec('COMMIT');
    } catch (error) {
      rollback();
      for (const { reject } of group) reject(error);
      return;
    }
    for (const settle of results) settle();
  };
  const drain = async (): Promise<void> => {
    for (let job = jobs[0]; job !== undefined; job = jobs[0]) {
      if (job.kind === 'exclusive') {
        jobs.shift();
        await job.perform();
        continue;
      }
      const end = jobs.slice(0, MOST_IN_GROUP).findIndex((next) => next.kind !== 'single');
      const group = jobs.splice(0, end === -1 ? MOST_IN_GROUP : end);
      commitGroup(group.filter((next) => next.kind === 'single'));
    }
    draining = false;
  };
  const enqueue = (job: Job): void => {
    jobs.push(job);
    if (draining) return;
    draining = true;
    if (job.kind === 'single') setImmediate(() => void drain());
    else void drain();
  };
  const exclusive = <T>(work: () => T | Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      if (closed) reject(unavailable('closed'));
      else enqueue({ kind: 'exclusive', perform: () => settle(work, resolve, reject) });
    });

  return {
    run: (text, params) =>
      new Promise((resolve, reject) => {
        if (closed) reject(unavailable('closed'));
        else enqueue({ kind: 'single', text, params, resolve, reject });
      }),
    between: (work) => exclusive(() => work(current())),
    transaction: (work, committed) =>
      exclusive(async () => {
        const changes = changeSet();
        const running = runningTransaction(current(), changes);
        current().exec('BEGIN IMMEDIATE');
        try {
          const result = await work(running.tx);
          running.end();
          current().exec('COMMIT');
          committed(changes.list());
          return result;
        } catch (error) {
          running.abandon();
          rollback();
          throw error;
        }
      }),
    close: async () => {
      const last = closed ? Promise.resolve() : exclusive(() => undefined);
      closed = true;
      await last;
      connection?.close();
      connection = undefined;
    },
  };
}

async function settle<T>(
  work: () => T | Promise<T>,
  resolve: (value: T) => void,
  reject: (error: unknown) => void,
): Promise<void> {
  try {
    resolve(await work());
  } catch (error) {
    reject(error);
  }
}

interface RunningTransaction {
  readonly tx: Transaction;
  /** Throws the fault that has doomed it, if any: what PostgreSQL would not commit is not committed here either. */
  end(): void;
  abandon(): void;
}

function runningTransaction(connection: SqliteConnection, changes: ChangeSet): RunningTransaction {
  let doom: { readonly error: unknown } | undefined;
  let over = false;
  const step = async <T>(perform: () => T): Promise<T> => {
    if (over) throw new Error('a store was used after its transaction had ended');
    try {
      if (doom !== undefined) throw doom.error;
      return perform();
    } catch (error) {
      doom ??= { error };
      throw error;
    }
  };
  return {
    tx: {
      query: <R>(text: Statement, params?: readonly SqlParam[]) =>
        step(() => connection.query<R>(text, params)),
      run: (text, params) => step(() => connection.run(text, params)),
      changed: (change) => changes.add(change),
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
  };
}
