import type { Dialect } from '../database.ts';

/**
 * The audit log on PostgreSQL; beside SQLite it is a file. `body` is the event's canonical text and the truth; the
 * other columns are for queries. Every index ends in `seq`, the order in which events are asked for.
 */
export function audit(dialect: Dialect): readonly string[] {
  if (dialect === 'sqlite') return [];
  const text = 'TEXT COLLATE "C"';
  return [
    'CREATE TABLE audit_head (only_row BIGINT PRIMARY KEY CHECK (only_row = 1), seq BIGINT NOT NULL)',
    'INSERT INTO audit_head (only_row, seq) VALUES (1, 0)',
    `CREATE TABLE audit_events (seq BIGINT PRIMARY KEY, event_id ${text} NOT NULL, at BIGINT NOT NULL,
      type ${text} NOT NULL, outcome ${text} NOT NULL, identity ${text}, jti ${text}, request_id ${text},
      resource ${text}, body ${text} NOT NULL)`,
    'CREATE UNIQUE INDEX audit_events_event_id ON audit_events (event_id)',
    'CREATE INDEX audit_events_jti ON audit_events (jti, seq) WHERE jti IS NOT NULL',
    'CREATE INDEX audit_events_request_id ON audit_events (request_id, seq) WHERE request_id IS NOT NULL',
    'CREATE INDEX audit_events_identity ON audit_events (identity, seq) WHERE identity IS NOT NULL',
    'CREATE INDEX audit_events_resource ON audit_events (resource, seq) WHERE resource IS NOT NULL',
    'CREATE INDEX audit_events_type ON audit_events (type, seq)',
    "CREATE INDEX audit_events_outcome ON audit_events (outcome, seq) WHERE outcome <> 'success'",
    'CREATE INDEX audit_events_at ON audit_events (at, seq)',
  ];
}
