import type { Dialect } from '../database.ts';

/** With which devices claim their identities. */
export function claimCodes(dialect: Dialect): readonly string[] {
  const text = dialect === 'postgres' ? 'TEXT COLLATE "C"' : 'TEXT';
  return [
    `CREATE TABLE claim_codes (id ${text} PRIMARY KEY, identity_id ${text} NOT NULL REFERENCES identities (id),
      public_id ${text} NOT NULL, digest ${text} NOT NULL, state ${text} NOT NULL, made_by ${text} NOT NULL,
      expires_at BIGINT NOT NULL, used_at BIGINT, subject_key ${text}, certificate_id ${text},
      created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, version BIGINT NOT NULL)`,
    'CREATE UNIQUE INDEX claim_codes_public_id ON claim_codes (public_id)',
    'CREATE INDEX claim_codes_identity ON claim_codes (identity_id, created_at, id)',
    'CREATE INDEX claim_codes_page ON claim_codes (created_at, id)',
    'CREATE INDEX claim_codes_end ON claim_codes (expires_at)',
  ];
}
