import type { Dialect } from '../database.ts';

/** What is used, by whom it was told, and of which time. No row for a token or a call. */
export function usage(dialect: Dialect): readonly string[] {
  const text = dialect === 'postgres' ? 'TEXT COLLATE "C"' : 'TEXT';
  return [
    `CREATE TABLE usage (access_id ${text} NOT NULL REFERENCES access (id), scope ${text} NOT NULL,
      credential_id ${text} NOT NULL REFERENCES credentials (id),
      resource_server_id ${text} NOT NULL REFERENCES resource_servers (id),
      ok BIGINT NOT NULL, denied BIGINT NOT NULL, last_ok_at BIGINT, last_denied_at BIGINT, days ${text} NOT NULL,
      last_at BIGINT NOT NULL, PRIMARY KEY (access_id, scope, credential_id))`,
    'CREATE INDEX usage_credential ON usage (credential_id, last_ok_at)',
    'CREATE INDEX usage_last ON usage (last_at)',
    `CREATE TABLE usage_reporting (resource_server_id ${text} PRIMARY KEY REFERENCES resource_servers (id),
      reports BIGINT NOT NULL)`,
    `CREATE TABLE usage_reporters (resource_server_id ${text} NOT NULL REFERENCES resource_servers (id),
      instance ${text} NOT NULL, boot ${text} NOT NULL, identity_id ${text} NOT NULL REFERENCES identities (id),
      upto BIGINT NOT NULL, beyond ${text} NOT NULL, told_until BIGINT NOT NULL, ended BIGINT NOT NULL,
      received_at BIGINT NOT NULL, created_at BIGINT NOT NULL, PRIMARY KEY (resource_server_id, instance, boot))`,
    'CREATE INDEX usage_reporters_silent ON usage_reporters (resource_server_id, told_until) WHERE ended = 0',
    'CREATE INDEX usage_reporters_received ON usage_reporters (received_at)',
    `CREATE TABLE usage_spans (resource_server_id ${text} NOT NULL REFERENCES resource_servers (id),
      kind ${text} NOT NULL, from_at BIGINT NOT NULL, to_at BIGINT NOT NULL,
      PRIMARY KEY (resource_server_id, kind, from_at))`,
    'CREATE INDEX usage_spans_end ON usage_spans (to_at)',
    `CREATE TABLE credential_use (credential_id ${text} PRIMARY KEY REFERENCES credentials (id),
      last_used_at BIGINT NOT NULL)`,
  ];
}
