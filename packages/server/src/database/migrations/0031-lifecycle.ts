import type { Dialect } from '../database.ts';

/** Since when an identity is in its state, how it is activated and how it ends; what is due by when; who still calls. */
export function lifecycle(dialect: Dialect): readonly string[] {
  const text = dialect === 'postgres' ? 'TEXT COLLATE "C"' : 'TEXT';
  const byKey = dialect === 'postgres' ? '' : 'WITHOUT ROWID';
  const added = (table: string): string[] => [
    `ALTER TABLE ${table} ADD COLUMN state_since BIGINT NOT NULL DEFAULT 0`,
    `ALTER TABLE ${table} ADD COLUMN activation ${text}`,
    `ALTER TABLE ${table} ADD COLUMN decommissioning ${text}`,
    `ALTER TABLE ${table} ADD COLUMN plan_at BIGINT`,
    `UPDATE ${table} SET state_since = updated_at`,
  ];
  return [
    ...['identities', 'identity_history'].flatMap(added),
    // What is ending already has no plan: it was stopped at once, and has the 30 days that it was promised.
    `UPDATE identities SET plan_at = state_since + 2592000000 WHERE state = 'decommissioning'`,
    'CREATE INDEX identities_end ON identities (state, expires_at, id)',
    'CREATE INDEX identities_since ON identities (state, state_since, id)',
    'CREATE INDEX identities_plan ON identities (state, plan_at, id) WHERE plan_at IS NOT NULL',
    "CREATE INDEX credentials_end ON credentials (expires_at, id) WHERE state IN ('active', 'suspended')",
    "CREATE INDEX access_end ON access (expires_at, id) WHERE state IN ('requested', 'active')",
    `CREATE TABLE ending_callers (identity_id ${text} NOT NULL REFERENCES identities (id), phase ${text} NOT NULL,
      resource_server ${text} NOT NULL, instance ${text} NOT NULL, source ${text} NOT NULL, agent ${text} NOT NULL,
      let_through BIGINT NOT NULL, refused BIGINT NOT NULL, first_at BIGINT NOT NULL, last_at BIGINT NOT NULL,
      PRIMARY KEY (identity_id, phase, resource_server, instance, source, agent)) ${byKey}`,
  ];
}
