import type { Dialect } from '../database.ts';

/** The authority of certificates: its roots, those that issue, and what they issued. */
export function certificates(dialect: Dialect): readonly string[] {
  const text = dialect === 'postgres' ? 'TEXT COLLATE "C"' : 'TEXT';
  return [
    `CREATE TABLE certificate_authorities (id ${text} PRIMARY KEY, role ${text} NOT NULL, state ${text} NOT NULL,
      alg ${text} NOT NULL, public_jwk ${text} NOT NULL, certificate ${text}, above ${text} NOT NULL,
      sealed_private_key ${text}, created_at BIGINT NOT NULL, not_after BIGINT, updated_at BIGINT NOT NULL,
      version BIGINT NOT NULL)`,
    `CREATE UNIQUE INDEX certificate_authorities_active ON certificate_authorities (role)
      WHERE state = 'active' AND role = 'issuing'`,
    `CREATE TABLE certificates (id ${text} PRIMARY KEY, serial_number ${text} NOT NULL,
      identity_id ${text} NOT NULL REFERENCES identities (id),
      credential_id ${text} NOT NULL REFERENCES credentials (id),
      authority_id ${text} NOT NULL REFERENCES certificate_authorities (id),
      subject_key ${text} NOT NULL, thumbprint ${text} NOT NULL, certificate ${text} NOT NULL, issued_by ${text} NOT NULL,
      not_before BIGINT NOT NULL, not_after BIGINT NOT NULL, revoked_at BIGINT, revoked_reason ${text},
      created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, version BIGINT NOT NULL)`,
    'CREATE UNIQUE INDEX certificates_serial_number ON certificates (serial_number)',
    'CREATE INDEX certificates_identity ON certificates (identity_id, created_at, id)',
    'CREATE INDEX certificates_credential ON certificates (credential_id, created_at, id)',
    'CREATE INDEX certificates_subject_key ON certificates (subject_key, created_at)',
    'CREATE INDEX certificates_page ON certificates (created_at, id)',
    'CREATE INDEX certificates_end ON certificates (not_after)',
    'CREATE INDEX certificates_authority ON certificates (authority_id, not_after)',
  ];
}
