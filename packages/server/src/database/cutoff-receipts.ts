import type {
  Attempts,
  Confirmation,
  CutoffReceiptStore,
  FollowerKey,
  FollowerRecord,
} from '../storage/cutoff-receipts.ts';
import { type Session, type SqlParam, statement } from './database.ts';

interface KeyRow {
  resource_server_id: string;
  instance: string;
  proven: number;
}
interface FollowerRow extends KeyRow {
  stale_after: number;
  on_stale: string;
  first_seen_at: number;
  last_seen_at: number;
}

const KEY = 'resource_server_id, instance, proven';
const later = (table: string, column: string): string =>
  `CASE WHEN excluded.${column} > ${table}.${column} THEN excluded.${column} ELSE ${table}.${column} END`;

/** In a select list PostgreSQL takes a parameter for text. */
const whole = (parameter: number): string => `CAST($${parameter} AS BIGINT)`;

const seeFollower = statement(
  'cutoff_followers_seen',
  `INSERT INTO cutoff_followers (${KEY}, stale_after, on_stale, first_seen_at, last_seen_at)
   SELECT id, $2, ${whole(3)}, ${whole(4)}, $5, ${whole(6)}, ${whole(7)} FROM resource_servers WHERE id = $1
   ON CONFLICT (${KEY}) DO UPDATE SET stale_after = excluded.stale_after, on_stale = excluded.on_stale,
     last_seen_at = ${later('cutoff_followers', 'last_seen_at')}`,
);
const confirm = statement(
  'cutoff_confirmations_insert',
  `INSERT INTO cutoff_confirmations (${KEY}, cursor, at)
   SELECT id, $2, ${whole(3)}, ${whole(4)}, ${whole(5)} FROM resource_servers WHERE id = $1
   ON CONFLICT (${KEY}, cursor) DO UPDATE SET at = excluded.at WHERE excluded.at < cutoff_confirmations.at`,
);
const countAttempts = statement(
  'cutoff_attempts_count',
  `INSERT INTO cutoff_attempts (${KEY}, cursor, count, at)
   SELECT id, $2, ${whole(3)}, ${whole(4)}, ${whole(5)}, ${whole(6)} FROM resource_servers WHERE id = $1
   ON CONFLICT (${KEY}, cursor) DO UPDATE SET count = excluded.count, at = excluded.at
   WHERE excluded.count > cutoff_attempts.count`,
);
const selectFollowers = statement(
  'cutoff_followers_since',
  `SELECT ${KEY}, stale_after, on_stale, first_seen_at, last_seen_at FROM cutoff_followers
   WHERE last_seen_at >= $1 ORDER BY last_seen_at DESC, ${KEY} LIMIT $2`,
);
const selectConfirmations = statement(
  'cutoff_confirmations_of',
  `SELECT ${KEY}, MIN(at) AS at FROM cutoff_confirmations WHERE cursor >= $1 GROUP BY ${KEY}`,
);
const selectAttempts = statement(
  'cutoff_attempts_of',
  `SELECT ${KEY}, count, at FROM cutoff_attempts WHERE cursor = $1`,
);
const sweepFollowers = statement(
  'cutoff_followers_sweep',
  `DELETE FROM cutoff_followers WHERE (proven = 1 AND last_seen_at < $1) OR (proven = 0 AND last_seen_at < $2)
     OR last_seen_at < (SELECT last_seen_at FROM cutoff_followers ORDER BY last_seen_at DESC LIMIT 1 OFFSET $3)`,
);
const sweepOrphans = ['cutoff_confirmations', 'cutoff_attempts'].map((table) =>
  statement(
    `${table}_orphans`,
    `DELETE FROM ${table} WHERE NOT EXISTS (SELECT 1 FROM cutoff_followers f
       WHERE f.resource_server_id = ${table}.resource_server_id AND f.instance = ${table}.instance
         AND f.proven = ${table}.proven)`,
  ),
);
const sweepOldest = ['cutoff_confirmations', 'cutoff_attempts'].map((table) =>
  statement(
    `${table}_oldest`,
    `DELETE FROM ${table} WHERE at < (SELECT at FROM ${table} ORDER BY at DESC LIMIT 1 OFFSET $1)`,
  ),
);

const keyOf = (row: KeyRow): FollowerKey => ({
  resourceServerId: row.resource_server_id,
  instance: row.instance,
  proven: row.proven === 1,
});
const keyParams = (key: FollowerKey): SqlParam[] => [key.resourceServerId, key.instance, key.proven];

function fromRow(row: FollowerRow): FollowerRecord {
  return {
    ...keyOf(row),
    staleAfter: row.stale_after,
    onStale: row.on_stale,
    firstSeenAt: row.first_seen_at,
    lastSeenAt: row.last_seen_at,
  };
}

export function cutoffReceiptStore(session: Session): CutoffReceiptStore {
  return {
    record: ({ followers, confirmations, attempts }) =>
      session.write(async (tx) => {
        for (const each of followers) {
          const { staleAfter, onStale, firstSeenAt, lastSeenAt } = each;
          await tx.run(seeFollower, [...keyParams(each), staleAfter, onStale, firstSeenAt, lastSeenAt]);
        }
        for (const each of confirmations) await tx.run(confirm, [...keyParams(each), each.cursor, each.at]);
        for (const each of attempts)
          await tx.run(countAttempts, [...keyParams(each), each.cursor, each.count, each.at]);
      }),
    followers: async (since, limit) =>
      (await session.query<FollowerRow>(selectFollowers, [since, limit])).map(fromRow),
    confirmationsOf: async (cursor) =>
      (await session.query<KeyRow & { at: number }>(selectConfirmations, [cursor])).map(
        (row): Confirmation => ({ ...keyOf(row), cursor, at: row.at }),
      ),
    attemptsOf: async (cursor) =>
      (await session.query<KeyRow & { count: number; at: number }>(selectAttempts, [cursor])).map(
        (row): Attempts => ({ ...keyOf(row), cursor, count: row.count, at: row.at }),
      ),
    sweep: (what) =>
      session.write(async (tx) => {
        await tx.run(sweepFollowers, [what.provenBefore, what.unprovenBefore, what.mostFollowers - 1]);
        for (const orphans of sweepOrphans) await tx.run(orphans);
        for (const oldest of sweepOldest) await tx.run(oldest, [what.mostConfirmations - 1]);
      }),
  };
}
