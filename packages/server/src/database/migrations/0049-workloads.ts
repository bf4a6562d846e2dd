import type { Dialect } from '../database.ts';

/** Which processes an agent gives the SVIDs of an identity to, and the keys that sign JWT-SVIDs. */
export function workloads(dialect: Dialect): readonly string[] {
  // Ids and times are compared byte by byte in both databases.
  const text = dialect === 'postgres' ? 'TEXT COLLATE "C"' : 'TEXT';
  const workload = `agent_id ${text} NOT NULL, identity_id ${text} NOT NULL, selectors ${text} NOT NULL, hint ${text},
    state ${text} NOT NULL, expires_at BIGINT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL`;
  return [
    `CREATE TABLE workloads (id ${text} PRIMARY KEY, ${workload})`,
    'CREATE INDEX workloads_page ON workloads (created_at, id)',
    "CREATE INDEX workloads_agent ON workloads (agent_id, created_at, id) WHERE state <> 'deleted'",
    "CREATE INDEX workloads_identity ON workloads (identity_id, created_at, id) WHERE state <> 'deleted'",
    `CREATE TABLE workload_history (id ${text} NOT NULL, ${workload}, valid_from BIGINT NOT NULL,
      valid_to BIGINT NOT NULL, PRIMARY KEY (id, version))`,
    `CREATE TABLE svid_keys (kid ${text} PRIMARY KEY, alg ${text} NOT NULL, state ${text} NOT NULL,
      public_jwk ${text} NOT NULL, sealed_private_key ${text} NOT NULL, created_at BIGINT NOT NULL,
      active_at BIGINT NOT NULL, retiring_at BIGINT, remove_at BIGINT, version BIGINT NOT NULL)`,
    `CREATE UNIQUE INDEX svid_keys_active_alg ON svid_keys (alg, state) WHERE state IN ('next', 'active')`,
  ];
}
