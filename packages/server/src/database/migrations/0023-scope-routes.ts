import type { Dialect } from '../database.ts';

/** What scopes open, and whom resource servers let in that nobody has registered. */
export function scopeRoutes(dialect: Dialect): readonly string[] {
  const text = dialect === 'postgres' ? 'TEXT COLLATE "C"' : 'TEXT';
  return [
    `CREATE TABLE scope_routes (resource_server_id ${text} NOT NULL REFERENCES resource_servers (id),
      scope ${text} NOT NULL, method ${text} NOT NULL, path ${text} NOT NULL, first_seen_at BIGINT NOT NULL,
      last_seen_at BIGINT NOT NULL, PRIMARY KEY (resource_server_id, scope, path, method))`,
    `CREATE TABLE unregistered_callers (resource_server_id ${text} NOT NULL REFERENCES resource_servers (id),
      issuer ${text} NOT NULL, caller ${text} NOT NULL, reporter_id ${text} NOT NULL REFERENCES identities (id),
      ok BIGINT NOT NULL, denied BIGINT NOT NULL, last_ok_at BIGINT, first_at BIGINT NOT NULL,
      last_at BIGINT NOT NULL, PRIMARY KEY (resource_server_id, issuer, caller))`,
    'CREATE INDEX unregistered_callers_ok ON unregistered_callers (last_ok_at)',
    'CREATE INDEX unregistered_callers_last ON unregistered_callers (last_at)',
  ];
}
