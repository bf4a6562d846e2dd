// Which proofs were used, where one process has the database: docs/decisions/0026-used-proofs-in-memory-and-in-batches.md.
import { hash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { UsedOnceStore } from '../storage/used-once.ts';
import { type Database, statement } from './database.ts';
import { unavailable } from './faults.ts';
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

/** Of an entry: 8 bytes of the id's digest, and its expiry in epoch seconds. */
const ENTRY_BYTES = 12;
const DIGEST_BYTES = 8;
/** What an expiry's four bytes hold: the year 2106. */
const LAST_SECOND = 2 ** 32 - 1;

/** Claims of one row, and the promise that those who made them wait for. */
interface Batch {
  readonly entries: Buffer[];
  lastExpiry: number;
  readonly durable: Promise<void>;
  readonly end: (error?: Error) => void;
}

/** Reads what was used before. One batch is on its way to the disk, the next gathers meanwhile. */
export async function sqliteUsedOnce(database: UsedOnceFile, clock: Clock): Promise<UsedOnceStore> {
  const used = usedOnceSet();
  let gathering: Batch | undefined;
  let scheduled = false;
  let writing = false;

  const seconds = (): number => Math.ceil(clock.now() / 1000);
  const start = seconds();
  await database.run(createBatches);
  const rows = await database.query<{ entries: string }>(selectBatches, [start]);
  for (const { entries } of rows) {
    const bytes = Buffer.from(entries, 'base64');
    for (let at = 0; at < bytes.length; at += ENTRY_BYTES) {
      const expiry = bytes.readUInt32BE(at + DIGEST_BYTES);
      if (expiry >= start) used.add(bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4), expiry, start);
    }
  }

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
      await database.run(insertBatch, [batch.lastExpiry, Buffer.concat(batch.entries).toString('base64')]);
      batch.end();
    } catch (error) {
      batch.end(error instanceof Error ? error : unavailable('a write', error));
    }
    writing = false;
    schedule();
  };

  return {
    async claim(namespace, id, expiresAt) {
      const entry = Buffer.allocUnsafe(ENTRY_BYTES);
      entry.write(hash('sha256', `${namespace}\0${id}`, 'hex').slice(0, 2 * DIGEST_BYTES), 'hex');
      const expiry = Math.min(Math.ceil(expiresAt / 1000), LAST_SECOND);
      entry.writeUInt32BE(expiry, DIGEST_BYTES);
      // Nobody else gets it from here on, not even when the write fails.
      if (!used.add(entry.readUInt32BE(0), entry.readUInt32BE(4), expiry, seconds())) return false;
      gathering ??= newBatch();
      gathering.entries.push(entry);
      gathering.lastExpiry = Math.max(gathering.lastExpiry, expiry);
      schedule();
      await gathering.durable;
      return true;
    },
    sweep: (now) => database.run(sweepBatches, [Math.ceil(now / 1000)]),
  };
}

function newBatch(): Batch {
  let end: Batch['end'] = () => undefined;
  const durable = new Promise<void>((resolve, reject) => {
    end = (error) => (error === undefined ? resolve() : reject(error));
  });
  return { entries: [], lastExpiry: 0, durable, end };
}
