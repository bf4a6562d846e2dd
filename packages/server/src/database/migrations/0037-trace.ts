import type { Dialect } from '../database.ts';

/** What a trace of a token looks up: which orders reached it, and which tokens were exchanged for it. */
export function trace(dialect: Dialect): readonly string[] {
  const cutoffs = 'CREATE INDEX cutoffs_target ON cutoffs (kind, target, cursor)';
  if (dialect === 'sqlite') return [cutoffs];
  return [
    cutoffs,
    'ALTER TABLE audit_events ADD COLUMN parent TEXT COLLATE "C"',
    'CREATE INDEX audit_events_parent ON audit_events (parent, seq) WHERE parent IS NOT NULL',
  ];
}
