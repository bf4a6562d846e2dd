import type { Dialect } from '../database.ts';

/** Who follows the cut-off feed, what was confirmed, and what was tried afterwards. Bounded by the sweep of it. */
export function cutoffReceipts(dialect: Dialect): readonly string[] {
  const text = dialect === 'postgres' ? 'TEXT COLLATE "C"' : 'TEXT';
  const follower = `resource_server_id ${text} NOT NULL, instance ${text} NOT NULL, proven BIGINT NOT NULL`;
  const key = 'resource_server_id, instance, proven';
  return [
    `CREATE TABLE cutoff_followers (${follower}, stale_after BIGINT NOT NULL, on_stale ${text} NOT NULL,
      first_seen_at BIGINT NOT NULL, last_seen_at BIGINT NOT NULL, PRIMARY KEY (${key}))`,
    'CREATE INDEX cutoff_followers_seen ON cutoff_followers (last_seen_at)',
    `CREATE TABLE cutoff_confirmations (${follower}, cursor BIGINT NOT NULL, at BIGINT NOT NULL,
      PRIMARY KEY (${key}, cursor))`,
    'CREATE INDEX cutoff_confirmations_cursor ON cutoff_confirmations (cursor)',
    'CREATE INDEX cutoff_confirmations_at ON cutoff_confirmations (at)',
    `CREATE TABLE cutoff_attempts (${follower}, cursor BIGINT NOT NULL, count BIGINT NOT NULL, at BIGINT NOT NULL,
      PRIMARY KEY (${key}, cursor))`,
    'CREATE INDEX cutoff_attempts_cursor ON cutoff_attempts (cursor)',
    'CREATE INDEX cutoff_attempts_at ON cutoff_attempts (at)',
  ];
}
