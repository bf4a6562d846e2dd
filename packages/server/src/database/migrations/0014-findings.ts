import type { Dialect } from '../database.ts';

/** Findings about identities. Their history is in the audit log. */
export function findings(dialect: Dialect): readonly string[] {
  const text = dialect === 'postgres' ? 'TEXT COLLATE "C"' : 'TEXT';
  return [
    `CREATE TABLE findings (id ${text} PRIMARY KEY, kind ${text} NOT NULL,
      identity_id ${text} NOT NULL REFERENCES identities (id), subject ${text} NOT NULL, subject_id ${text} NOT NULL,
      severity ${text} NOT NULL, reason ${text} NOT NULL, fix ${text} NOT NULL, state ${text} NOT NULL,
      accepted_by ${text}, accepted_reason ${text}, accepted_until BIGINT, last_seen_at BIGINT NOT NULL,
      resolved_at BIGINT, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, version BIGINT NOT NULL)`,
    `CREATE UNIQUE INDEX findings_kind_subject ON findings (kind, subject_id)
      WHERE state IN ('open', 'accepted')`,
    'CREATE INDEX findings_identity ON findings (identity_id, created_at, id)',
    'CREATE INDEX findings_subject ON findings (subject_id, created_at, id)',
    'CREATE INDEX findings_state ON findings (state, created_at, id)',
    'CREATE INDEX findings_kind ON findings (kind, created_at, id)',
    'CREATE INDEX findings_severity ON findings (severity, created_at, id)',
    'CREATE INDEX findings_page ON findings (created_at, id)',
  ];
}
