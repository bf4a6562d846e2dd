import type { Dialect } from '../database.ts';

/**
 * Policies and who is excepted from them, with every version of both. `policy_lock` has one row: who judges by the
 * policies shares it, who changes one has it alone.
 */
export function policies(dialect: Dialect): readonly string[] {
  const text = dialect === 'postgres' ? 'TEXT COLLATE "C"' : 'TEXT';
  const policy = `
    name ${text} NOT NULL, rule ${text} NOT NULL, parameters ${text} NOT NULL, mode ${text} NOT NULL,
    matches ${text} NOT NULL, tests ${text} NOT NULL, state ${text} NOT NULL, created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL, version BIGINT NOT NULL`;
  const exception = `
    reason ${text} NOT NULL, approved_by ${text} NOT NULL, expires_at BIGINT NOT NULL, state ${text} NOT NULL,
    created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, version BIGINT NOT NULL`;
  const history = 'valid_from BIGINT NOT NULL, valid_to BIGINT NOT NULL, PRIMARY KEY (id, version)';
  return [
    `CREATE TABLE policies (id ${text} PRIMARY KEY, ${policy})`,
    "CREATE UNIQUE INDEX policies_name ON policies (name) WHERE state = 'active'",
    'CREATE INDEX policies_page ON policies (state, created_at, id)',
    `CREATE TABLE policy_history (id ${text} NOT NULL, ${policy}, ${history})`,
    `CREATE TABLE policy_exceptions (id ${text} PRIMARY KEY, policy_id ${text} NOT NULL REFERENCES policies (id),
      identity_id ${text} NOT NULL REFERENCES identities (id), ${exception})`,
    `CREATE UNIQUE INDEX policy_exceptions_policy_identity ON policy_exceptions (identity_id, policy_id)
      WHERE state = 'active'`,
    'CREATE INDEX policy_exceptions_page ON policy_exceptions (state, created_at, id)',
    `CREATE TABLE policy_exception_history (id ${text} NOT NULL, policy_id ${text} NOT NULL,
      identity_id ${text} NOT NULL, ${exception}, ${history})`,
    'CREATE INDEX policy_exception_history_identity ON policy_exception_history (identity_id)',
    'CREATE TABLE policy_lock (one BIGINT PRIMARY KEY)',
    'INSERT INTO policy_lock (one) VALUES (1)',
  ];
}
