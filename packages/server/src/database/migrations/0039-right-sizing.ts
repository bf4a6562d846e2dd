import type { Dialect } from '../database.ts';

/**
 * What identities could do without, by what they use; the history of each is in the audit log. And indexes for what is read of one
 * identity, without which SQLite walks through all that is in the same state, or of the same resource server.
 */
export function rightSizing(dialect: Dialect): readonly string[] {
  const text = dialect === 'postgres' ? 'TEXT COLLATE "C"' : 'TEXT';
  const live = "state IN ('open', 'dismissed', 'applied', 'rollback_requested')";
  return [
    `CREATE TABLE proposals (id ${text} PRIMARY KEY, kind ${text} NOT NULL,
      identity_id ${text} NOT NULL REFERENCES identities (id), subject ${text} NOT NULL, subject_id ${text} NOT NULL,
      state ${text} NOT NULL, reason ${text} NOT NULL, resource ${text}, change ${text} NOT NULL, basis ${text} NOT NULL,
      dismissed_by ${text}, dismissed_reason ${text}, dismissed_until BIGINT, applied ${text}, refusals BIGINT NOT NULL,
      last_refused_at BIGINT, next_at BIGINT, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      version BIGINT NOT NULL)`,
    `CREATE UNIQUE INDEX proposals_kind_subject ON proposals (kind, subject_id) WHERE ${live}`,
    `CREATE INDEX proposals_live ON proposals (identity_id, created_at, id) WHERE ${live}`,
    'CREATE INDEX proposals_identity ON proposals (identity_id, created_at, id)',
    'CREATE INDEX proposals_subject ON proposals (subject_id, created_at, id)',
    'CREATE INDEX proposals_state ON proposals (state, created_at, id)',
    'CREATE INDEX proposals_kind ON proposals (kind, created_at, id)',
    'CREATE INDEX proposals_page ON proposals (created_at, id)',
    'CREATE INDEX proposals_next ON proposals (next_at, id) WHERE next_at IS NOT NULL',
    `CREATE TABLE identity_risks (identity_id ${text} PRIMARY KEY REFERENCES identities (id), rank BIGINT NOT NULL,
      at BIGINT NOT NULL)`,
    'CREATE INDEX identity_risks_rank ON identity_risks (rank, identity_id)',
    "CREATE INDEX access_active ON access (identity_id, created_at, id) WHERE state = 'active'",
    'CREATE INDEX access_history_pair ON access_history (identity_id, resource_server_id, created_at, id, version)',
    'ALTER TABLE usage ADD COLUMN oldest_age BIGINT',
    'ALTER TABLE usage ADD COLUMN unaged_at BIGINT',
    // What was counted before says nothing of the age of its tokens.
    'UPDATE usage SET unaged_at = last_ok_at',
    `CREATE INDEX identities_alike ON identities (lower(owner_person), purpose, environment, created_at, id, client_id)
      WHERE state IN ('active', 'suspended')`,
  ];
}
