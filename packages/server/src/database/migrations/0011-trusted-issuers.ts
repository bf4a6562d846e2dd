import type { Dialect } from '../database.ts';

/** Issuers whose tokens are taken, and what finds the credentials that their tokens may match. */
export function trustedIssuers(dialect: Dialect): readonly string[] {
  const text = dialect === 'postgres' ? 'TEXT COLLATE "C"' : 'TEXT';
  const trustedIssuer = `
    issuer ${text} NOT NULL, name ${text} NOT NULL, kind ${text} NOT NULL, key_source ${text} NOT NULL,
    ca ${text}, algorithms ${text} NOT NULL, audience ${text}, max_token_age BIGINT NOT NULL,
    single_use BIGINT NOT NULL, state ${text} NOT NULL,
    created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, version BIGINT NOT NULL`;
  return [
    `CREATE TABLE trusted_issuers (id ${text} PRIMARY KEY, ${trustedIssuer})`,
    "CREATE UNIQUE INDEX trusted_issuers_issuer ON trusted_issuers (issuer) WHERE state <> 'deleted'",
    'CREATE INDEX trusted_issuers_page ON trusted_issuers (created_at, id)',
    `CREATE TABLE trusted_issuer_history (id ${text} NOT NULL, ${trustedIssuer},
      valid_from BIGINT NOT NULL, valid_to BIGINT NOT NULL, PRIMARY KEY (id, version))`,
    ...['credentials', 'credential_history'].flatMap((table) => [
      `ALTER TABLE ${table} ADD COLUMN trusted_issuer_id ${text}`,
      `ALTER TABLE ${table} ADD COLUMN subject_key ${text}`,
    ]),
    'CREATE INDEX credentials_trusted_issuer ON credentials (trusted_issuer_id, created_at, id)',
    'CREATE INDEX credentials_subject_key ON credentials (subject_key, created_at, id)',
  ];
}
