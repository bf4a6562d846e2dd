// Which proofs were used, where one process has the database: docs/decisions/0026-used-proofs-in-memory-and-in-batches.md.
import type { Clock } from '../clock.ts';
import type { MarkedLog, UsedOnceStore } from '../storage/used-once.ts';
import { type Database, statement } from './database.ts';
import { unavailable } from './faults.ts';
import { type HeldMarks, heldMarks } from './used-once-held.ts';
import { keptShares } from './used-once-kept-shares.ts';
import { UsedOnceShares } from './used-once-shares.ts';
import { ENTRY_BYTES, expiryOf, MarkList, markOf, type UsedOnceMark } from './used-once-mark.ts';
import { usedOnceSet } from './used-once-set.ts';

/** A file of its own, `unavailable` once it is closed: a claim waits for its own write and for nothing of the registry. */
export type UsedOnceFile = Pick<Database, 'query' | 'run'>;

const createBatches = statement(
  '',
  `CREATE TABLE IF NOT EXISTS used_once_batches
     (position INTEGER PRIMARY KEY, last_expiry BIGINT NOT NULL, entries TEXT NOT NULL)`,
);
/** One row for all claims that went to the disk together. */
const insertBatch = statement(
  'used_once_insert_batch',
  'INSERT INTO used_once_batches (last_expiry, entries) VALUES ($1, $2)',
);
const selectBatches = statement('', 'SELECT entries FROM used_once_batches WHERE last_expiry >= $1');
/** Looks at the oldest alone, so that it takes as long however many there are. */
const sweepBatches = statement(
  'used_once_sweep_batches',
  `DELETE FROM used_once_batches WHERE last_expiry < $1 AND position IN
     (SELECT position FROM used_once_batches ORDER BY position LIMIT 10000)`,
);

/** Claims of one row, and the promise that those who made them wait for. */
interface Batch {
  readonly entries: MarkList;
  readonly durable: Promise<void>;
  readonly end: (error?: Error) => void;
}

/** The store, and what is to be done before its file is closed. */
export type SqliteUsedOnce = UsedOnceStore & { readonly end: () => Promise<void> };

/** Reads what was used before. One batch is on its way to the disk, the next gathers meanwhile. */
export async function sqliteUsedOnce(
  database: UsedOnceFile,
  clock: Clock,
  share?: number,
): Promise<SqliteUsedOnce> {
  const used = usedOnceSet();
  const shares = new UsedOnceShares(share);
  let gathering: Batch | undefined;
  let scheduled = false;
  let writing = false;
  let held: HeldMarks | undefined;

  const seconds = (): number => Math.ceil(clock.now() / 1000);
  /** Nobody else gets it from here on, not even when its write fails. */
  const take = (mark: UsedOnceMark): boolean =>
    used.add(mark.readUInt32BE(0), mark.readUInt32BE(4), expiryOf(mark), seconds());
  /** The same of a proof that its holder shows now. */
  const spend = (mark: UsedOnceMark, holder: string): boolean => {
    const now = seconds();
    shares.require(holder, now);
    if (!take(mark)) return false;
    shares.add(holder, expiryOf(mark), now);
    return true;
  };
  await database.run(createBatches);
  const rows = await database.query<{ entries: string }>(selectBatches, [seconds()]);
  for (const { entries } of rows) {
    const bytes = Buffer.from(entries, 'base64');
    for (let at = 0; at < bytes.length; at += ENTRY_BYTES) {
      const mark = bytes.subarray(at, at + ENTRY_BYTES);
      if (expiryOf(mark) >= seconds()) take(mark);
    }
  }

  const keepShares = await keptShares(database, shares, seconds);

  const insert = async (marks: MarkList): Promise<void> => {
    await database.run(insertBatch, [marks.lastExpiry, marks.toString('base64')]);
  };
  const schedule = (): void => {
    if (scheduled || writing || gathering === undefined) return;
    scheduled = true;
    // After this turn: all that were claimed in it share the write.
    setImmediate(() => {
      scheduled = false;
      if (gathering !== undefined) void write(gathering);
      gathering = undefined;
    });
  };
  const write = async (batch: Batch): Promise<void> => {
    writing = true;
    try {
      await insert(batch.entries);
      batch.end();
    } catch (error) {
      batch.end(error instanceof Error ? error : unavailable('a write', error));
    }
    writing = false;
    schedule();
  };
  const keep = (mark: UsedOnceMark): Promise<void> => {
    gathering ??= newBatch();
    gathering.entries.add(mark);
    schedule();
    return gathering.durable;
  };

  const store: SqliteUsedOnce = {
    async claim(namespace, id, expiresAt, holder) {
      const mark = markOf(namespace, id, expiresAt);
      if (!spend(mark, holder)) return false;
      await keep(mark);
      return true;
    },
    async carriedBy(log: MarkedLog): Promise<UsedOnceStore> {
      const marks = (held = await heldMarks({ database, log, insert, take, now: seconds }));
      return {
        ...store,
        hold(namespace, id, expiresAt, holder) {
          marks.requireRoom();
          const mark = markOf(namespace, id, expiresAt);
          if (!spend(mark, holder)) return undefined;
          marks.add(mark);
          return { mark: mark.toString('base64url'), keep: () => keep(mark) };
        },
      };
    },
    async sweep(now) {
      held?.advance();
      await keepShares();
      return await database.run(sweepBatches, [Math.ceil(now / 1000)]);
    },
    async end() {
      await held?.end();
      // A start without them lets their holders begin anew.
      await keepShares().catch(() => undefined);
    },
  };
  return store;
}

function newBatch(): Batch {
  let end: Batch['end'] = () => undefined;
  const durable = new Promise<void>((resolve, reject) => {
    end = (error) => (error === undefined ? resolve() : reject(error));
  });
  return { entries: new MarkList(), durable, end };
}
