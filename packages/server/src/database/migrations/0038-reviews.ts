import type { Dialect } from '../database.ts';

/**
 * Campaigns and what is decided in them. A suspended access keeps its place: another of the same pair would go round the
 * silence that suspended it.
 */
export function reviews(dialect: Dialect): readonly string[] {
  const text = dialect === 'postgres' ? 'TEXT COLLATE "C"' : 'TEXT';
  return [
    `CREATE TABLE reviews (id ${text} PRIMARY KEY, name ${text} NOT NULL, query ${text} NOT NULL,
      reviewers ${text} NOT NULL, fallback ${text} NOT NULL, not_owner BIGINT NOT NULL, opens_at BIGINT,
      due_at BIGINT NOT NULL, silence_at BIGINT NOT NULL, reminders ${text} NOT NULL, reminded BIGINT NOT NULL,
      on_silence ${text} NOT NULL, tokens ${text} NOT NULL, use_within BIGINT NOT NULL, repeat_every BIGINT, state ${text} NOT NULL,
      state_reason ${text}, items BIGINT NOT NULL, looked_at BIGINT, looked_id ${text}, next_at BIGINT,
      created_by ${text} NOT NULL, started_at BIGINT, ended_at BIGINT, created_at BIGINT NOT NULL,
      updated_at BIGINT NOT NULL, version BIGINT NOT NULL)`,
    'CREATE INDEX reviews_page ON reviews (created_at, id)',
    'CREATE INDEX reviews_state ON reviews (state, created_at, id)',
    'CREATE INDEX reviews_next ON reviews (next_at, id) WHERE next_at IS NOT NULL',

    `CREATE TABLE review_items (id ${text} PRIMARY KEY, review_id ${text} NOT NULL REFERENCES reviews (id),
      access_id ${text} NOT NULL REFERENCES access (id), access_version BIGINT NOT NULL,
      identity_id ${text} NOT NULL, resource_server_id ${text} NOT NULL, requesters ${text} NOT NULL,
      reviewer ${text} NOT NULL, fallback ${text} NOT NULL, handed_on BIGINT NOT NULL, state ${text} NOT NULL,
      verdict ${text}, decided_at BIGINT, remediation ${text} NOT NULL, remediation_reason ${text},
      cutoff_id ${text}, effective_at BIGINT, check_at BIGINT, created_at BIGINT NOT NULL,
      updated_at BIGINT NOT NULL, version BIGINT NOT NULL)`,
    'CREATE UNIQUE INDEX review_items_access ON review_items (review_id, access_id)',
    'CREATE INDEX review_items_page ON review_items (review_id, created_at, id)',
    'CREATE INDEX review_items_state ON review_items (review_id, state, remediation, created_at, id)',
    `CREATE INDEX review_items_reviewer ON review_items (review_id, reviewer, created_at, id)
      WHERE state = 'pending'`,
    `CREATE INDEX review_items_fallback ON review_items (review_id, fallback, created_at, id)
      WHERE state = 'pending'`,
    "CREATE INDEX review_items_failed ON review_items (id) WHERE remediation = 'failed'",
    'CREATE INDEX review_items_check ON review_items (check_at, id) WHERE check_at IS NOT NULL',

    'DROP INDEX access_identity_resource_server',
    `CREATE UNIQUE INDEX access_identity_resource_server ON access (identity_id, resource_server_id)
      WHERE state IN ('requested', 'active', 'suspended')`,
    'DROP INDEX access_end',
    `CREATE INDEX access_end ON access (expires_at, id) WHERE state IN ('requested', 'active', 'suspended')`,
  ];
}
