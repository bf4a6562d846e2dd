import type { Dialect } from '../database.ts';

/** Places in the token status lists, and which resource servers want them in their tokens. */
export function statusIndexes(dialect: Dialect): readonly string[] {
  const text = dialect === 'postgres' ? 'TEXT COLLATE "C"' : 'TEXT';
  return [
    'CREATE TABLE status_index_head (only_row BIGINT PRIMARY KEY CHECK (only_row = 1), next BIGINT NOT NULL)',
    'INSERT INTO status_index_head (only_row, next) VALUES (1, 0)',
    `CREATE TABLE status_indexes (idx BIGINT PRIMARY KEY,
      credential_id ${text} NOT NULL REFERENCES credentials (id), ended_at BIGINT)`,
    'CREATE UNIQUE INDEX status_indexes_live ON status_indexes (credential_id) WHERE ended_at IS NULL',
    'CREATE INDEX status_indexes_ended ON status_indexes (ended_at)',
    ...['resource_servers', 'resource_server_history'].map(
      (table) => `ALTER TABLE ${table} ADD COLUMN token_status_list BIGINT NOT NULL DEFAULT 0`,
    ),
  ];
}
