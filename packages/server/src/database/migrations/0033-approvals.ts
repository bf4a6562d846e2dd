import type { Dialect } from '../database.ts';

/**
 * What needs the approval of people, what was asked for, and who said what of it. An access gets its conditions and the
 * request it came about under; the index behind "who had this scope" gets what it takes to answer without the history,
 * so that a scope which thousands lost is no slower to ask about.
 */
export function approvals(dialect: Dialect): readonly string[] {
  const text = dialect === 'postgres' ? 'TEXT COLLATE "C"' : 'TEXT';
  const rule = `
    name ${text} NOT NULL, subject ${text} NOT NULL, matches ${text} NOT NULL, steps ${text} NOT NULL,
    owner_may_approve BIGINT NOT NULL, state ${text} NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL`;
  const covering = 'valid_from, valid_to, state, expires_at';
  const scopeIndex =
    'CREATE INDEX access_scopes_held ON access_scopes (resource_server_id, scope, created_at, access_id';
  return [
    `CREATE TABLE approval_rules (id ${text} PRIMARY KEY, ${rule})`,
    "CREATE UNIQUE INDEX approval_rules_name ON approval_rules (name) WHERE state = 'active'",
    'CREATE INDEX approval_rules_page ON approval_rules (state, created_at, id)',
    `CREATE TABLE approval_rule_history (id ${text} NOT NULL, ${rule},
      valid_from BIGINT NOT NULL, valid_to BIGINT NOT NULL, PRIMARY KEY (id, version))`,

    `CREATE TABLE approval_requests (id ${text} PRIMARY KEY, subject ${text} NOT NULL, subject_id ${text} NOT NULL,
      op ${text} NOT NULL, identity_id ${text} NOT NULL REFERENCES identities (id), resource_server_id ${text},
      content ${text} NOT NULL, content_hash ${text} NOT NULL, sensitivity BIGINT NOT NULL,
      requested_by ${text} NOT NULL, parties ${text} NOT NULL, state ${text} NOT NULL, reason ${text},
      expires_at BIGINT NOT NULL, decided_at BIGINT, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
      version BIGINT NOT NULL)`,
    `CREATE UNIQUE INDEX approval_requests_subject_id ON approval_requests (subject_id) WHERE state = 'pending'`,
    'CREATE INDEX approval_requests_subject ON approval_requests (subject_id, created_at, id)',
    'CREATE INDEX approval_requests_state ON approval_requests (state, created_at, id)',
    'CREATE INDEX approval_requests_identity ON approval_requests (identity_id, created_at, id)',
    'CREATE INDEX approval_requests_page ON approval_requests (created_at, id)',
    "CREATE INDEX approval_requests_end ON approval_requests (expires_at, id) WHERE state = 'pending'",
    `CREATE TABLE approval_decisions (request_id ${text} NOT NULL REFERENCES approval_requests (id),
      issuer ${text} NOT NULL, subject ${text} NOT NULL, handle ${text} NOT NULL, email ${text},
      roles ${text} NOT NULL, teams ${text} NOT NULL, decision ${text} NOT NULL, comment ${text},
      content_hash ${text} NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (request_id, issuer, subject))`,

    `CREATE TABLE credential_makers (credential_id ${text} PRIMARY KEY REFERENCES credentials (id),
      maker ${text} NOT NULL)`,

    ...['access', 'access_history'].flatMap((table) => [
      `ALTER TABLE ${table} ADD COLUMN conditions ${text}`,
      `ALTER TABLE ${table} ADD COLUMN approval_id ${text}`,
    ]),
    'CREATE INDEX access_ends ON access (state, expires_at, id)',
    'ALTER TABLE access_scopes ADD COLUMN valid_from BIGINT NOT NULL DEFAULT 0',
    'ALTER TABLE access_scopes ADD COLUMN valid_to BIGINT NOT NULL DEFAULT 0',
    `ALTER TABLE access_scopes ADD COLUMN state ${text} NOT NULL DEFAULT ''`,
    'ALTER TABLE access_scopes ADD COLUMN expires_at BIGINT NOT NULL DEFAULT 0',
    `UPDATE access_scopes SET valid_from = h.valid_from, valid_to = h.valid_to, state = h.state,
       expires_at = h.expires_at
     FROM access_history h WHERE h.id = access_scopes.access_id AND h.version = access_scopes.version`,
    dialect === 'postgres'
      ? `${scopeIndex}, version) INCLUDE (${covering})`
      : `${scopeIndex}, version, ${covering})`,
    'DROP INDEX access_scopes_resource_server',
  ];
}
