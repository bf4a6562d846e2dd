import type { Dialect } from '../database.ts';

/**
 * The registry and what belongs to it. The texts are the same for both databases but for two words: PostgreSQL
 * compares text byte by byte only when told so, and SQLite keeps a table in its primary key only when told so.
 */
export function registry(dialect: Dialect): readonly string[] {
  const text = dialect === 'postgres' ? 'TEXT COLLATE "C"' : 'TEXT';
  const position =
    dialect === 'postgres' ? 'BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY' : 'INTEGER PRIMARY KEY';
  const byKey = dialect === 'postgres' ? '' : 'WITHOUT ROWID';

  const identity = `
    client_id ${text} NOT NULL, name ${text} NOT NULL, kind ${text} NOT NULL, environment ${text} NOT NULL,
    purpose ${text} NOT NULL, owner_person ${text} NOT NULL, owner_backup ${text}, owner_team ${text},
    sensitivity BIGINT NOT NULL, cadence ${text} NOT NULL, state ${text} NOT NULL, state_reason ${text},
    security_stop BIGINT NOT NULL, built_in BIGINT NOT NULL, expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, version BIGINT NOT NULL`;
  const credential = `
    label ${text} NOT NULL, state ${text} NOT NULL, type ${text} NOT NULL, public_id ${text},
    material ${text} NOT NULL, not_before_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, version BIGINT NOT NULL`;
  const resourceServer = `
    identifier ${text} NOT NULL, name ${text} NOT NULL, scopes ${text} NOT NULL, token_format ${text} NOT NULL,
    token_lifetime BIGINT, token_signing_alg ${text} NOT NULL, token_typ ${text} NOT NULL,
    sender_constraint ${text} NOT NULL, state ${text} NOT NULL, built_in BIGINT NOT NULL,
    created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, version BIGINT NOT NULL`;
  const access = `
    scopes ${text} NOT NULL, justification ${text} NOT NULL, state ${text} NOT NULL,
    requested_by ${text} NOT NULL, approved_by ${text}, approved_at BIGINT, token_lifetime BIGINT,
    expires_at BIGINT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, version BIGINT NOT NULL`;
  const validity = 'valid_from BIGINT NOT NULL, valid_to BIGINT NOT NULL, PRIMARY KEY (id, version)';

  return [
    `CREATE TABLE identities (id ${text} PRIMARY KEY, ${identity})`,
    'CREATE UNIQUE INDEX identities_client_id ON identities (client_id)',
    'CREATE INDEX identities_page ON identities (created_at, id)',
    'CREATE INDEX identities_state ON identities (state, created_at, id)',
    'CREATE INDEX identities_kind ON identities (kind, created_at, id)',
    'CREATE INDEX identities_environment ON identities (environment, created_at, id)',
    'CREATE INDEX identities_owner_person ON identities (owner_person, created_at, id)',
    'CREATE INDEX identities_owner_team ON identities (owner_team, created_at, id)',
    `CREATE TABLE identity_history (id ${text} NOT NULL, ${identity}, ${validity})`,

    `CREATE TABLE credentials (id ${text} PRIMARY KEY, identity_id ${text} NOT NULL REFERENCES identities (id), ${credential})`,
    'CREATE UNIQUE INDEX credentials_public_id ON credentials (public_id)',
    'CREATE INDEX credentials_identity ON credentials (identity_id, created_at, id)',
    'CREATE INDEX credentials_page ON credentials (created_at, id)',
    'CREATE INDEX credentials_type ON credentials (type, created_at, id)',
    'CREATE INDEX credentials_state ON credentials (state, created_at, id)',
    'CREATE INDEX credentials_expiry ON credentials (expires_at)',
    `CREATE TABLE credential_history (id ${text} NOT NULL, identity_id ${text} NOT NULL, ${credential}, ${validity})`,

    `CREATE TABLE resource_servers (id ${text} PRIMARY KEY, ${resourceServer})`,
    "CREATE UNIQUE INDEX resource_servers_identifier ON resource_servers (identifier) WHERE state = 'active'",
    'CREATE INDEX resource_servers_page ON resource_servers (state, created_at, id)',
    `CREATE TABLE resource_server_history (id ${text} NOT NULL, ${resourceServer}, ${validity})`,

    `CREATE TABLE access (id ${text} PRIMARY KEY, identity_id ${text} NOT NULL REFERENCES identities (id),
      resource_server_id ${text} NOT NULL REFERENCES resource_servers (id), ${access})`,
    `CREATE UNIQUE INDEX access_identity_resource_server ON access (identity_id, resource_server_id)
      WHERE state IN ('requested', 'active')`,
    'CREATE INDEX access_identity ON access (identity_id, created_at, id)',
    'CREATE INDEX access_resource_server ON access (resource_server_id, created_at, id, state)',
    'CREATE INDEX access_state ON access (state, created_at, id)',
    'CREATE INDEX access_page ON access (created_at, id)',
    `CREATE TABLE access_history (id ${text} NOT NULL, identity_id ${text} NOT NULL,
      resource_server_id ${text} NOT NULL, ${access}, ${validity})`,
    'CREATE INDEX access_history_identity ON access_history (identity_id, created_at, id)',
    'CREATE INDEX access_history_resource_server ON access_history (resource_server_id, created_at, id)',
    'CREATE INDEX access_history_state ON access_history (state, created_at, id)',
    'CREATE INDEX access_history_page ON access_history (created_at, id)',
    `CREATE TABLE access_scopes (scope ${text} NOT NULL, created_at BIGINT NOT NULL, access_id ${text} NOT NULL,
      version BIGINT NOT NULL, resource_server_id ${text} NOT NULL,
      PRIMARY KEY (scope, created_at, access_id, version)) ${byKey}`,
    `CREATE INDEX access_scopes_resource_server
      ON access_scopes (resource_server_id, scope, created_at, access_id, version)`,

    `CREATE TABLE signing_keys (kid ${text} PRIMARY KEY, alg ${text} NOT NULL, state ${text} NOT NULL,
      public_jwk ${text} NOT NULL, sealed_private_key ${text} NOT NULL, created_at BIGINT NOT NULL,
      active_at BIGINT NOT NULL, retiring_at BIGINT, remove_at BIGINT, version BIGINT NOT NULL)`,
    `CREATE UNIQUE INDEX signing_keys_active_alg ON signing_keys (alg, state)
      WHERE state IN ('next', 'active')`,

    'CREATE TABLE cutoff_head (only_row BIGINT PRIMARY KEY CHECK (only_row = 1), cursor BIGINT NOT NULL)',
    'INSERT INTO cutoff_head (only_row, cursor) VALUES (1, 0)',
    `CREATE TABLE cutoffs (cursor BIGINT PRIMARY KEY, id ${text} NOT NULL, kind ${text} NOT NULL,
      target ${text} NOT NULL, not_before BIGINT NOT NULL, reason ${text} NOT NULL, ordered_by ${text} NOT NULL,
      created_at BIGINT NOT NULL)`,
    'CREATE UNIQUE INDEX cutoffs_id ON cutoffs (id)',

    `CREATE TABLE outbox (position ${position}, event_id ${text} NOT NULL, body ${text} NOT NULL,
      created_at BIGINT NOT NULL)`,
    'CREATE UNIQUE INDEX outbox_event_id ON outbox (event_id)',
    'CREATE INDEX outbox_pending ON outbox (created_at, position)',

    `CREATE TABLE used_once (namespace ${text} NOT NULL, id ${text} NOT NULL, expires_at BIGINT NOT NULL,
      PRIMARY KEY (namespace, id)) ${byKey}`,
    'CREATE INDEX used_once_expiry ON used_once (expires_at)',

    `CREATE TABLE idempotency (principal ${text} NOT NULL, idempotency_key ${text} NOT NULL,
      fingerprint ${text} NOT NULL, status BIGINT NOT NULL, response ${text} NOT NULL, expires_at BIGINT NOT NULL,
      PRIMARY KEY (principal, idempotency_key))`,
    'CREATE INDEX idempotency_expiry ON idempotency (expires_at)',

    `CREATE TABLE settings (name ${text} PRIMARY KEY, value ${text} NOT NULL)`,

    'CREATE TABLE registry_version (only_row BIGINT PRIMARY KEY CHECK (only_row = 1), version BIGINT NOT NULL)',
    'INSERT INTO registry_version (only_row, version) VALUES (1, 0)',
  ];
}
