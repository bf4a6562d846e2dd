import type { Dialect } from '../database.ts';

/** Which credential takes the place of which; who was seen to use one; of which end was told. */
export function rotation(dialect: Dialect): readonly string[] {
  const text = dialect === 'postgres' ? 'TEXT COLLATE "C"' : 'TEXT';
  const byKey = dialect === 'postgres' ? '' : 'WITHOUT ROWID';
  const added = (table: string): string[] => [
    `ALTER TABLE ${table} ADD COLUMN predecessor_id ${text}`,
    `ALTER TABLE ${table} ADD COLUMN predecessor_by ${text}`,
    `ALTER TABLE ${table} ADD COLUMN successor_id ${text}`,
    `ALTER TABLE ${table} ADD COLUMN successor_since BIGINT`,
  ];
  return [
    ...['credentials', 'credential_history'].flatMap(added),
    'CREATE INDEX credentials_predecessor ON credentials (predecessor_id) WHERE predecessor_id IS NOT NULL',
    `CREATE INDEX credentials_rotating ON credentials (successor_since, id)
      WHERE successor_since IS NOT NULL AND state IN ('active', 'suspended')`,
    `CREATE TABLE credential_instances (credential_id ${text} NOT NULL REFERENCES credentials (id),
      instance ${text} NOT NULL, source ${text} NOT NULL, first_at BIGINT NOT NULL, last_at BIGINT NOT NULL,
      PRIMARY KEY (credential_id, instance)) ${byKey}`,
    'CREATE INDEX credential_instances_last ON credential_instances (last_at)',
    `CREATE TABLE credential_ends_told (credential_id ${text} NOT NULL PRIMARY KEY REFERENCES credentials (id),
      expires_at BIGINT NOT NULL, days BIGINT NOT NULL) ${byKey}`,
  ];
}
