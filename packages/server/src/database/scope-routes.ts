import type { ScopeRouteRecord, ScopeRouteStore } from '../storage/scope-routes.ts';
import { type Session, statement } from './database.ts';

interface ScopeRouteRow {
  resource_server_id: string;
  scope: string;
  method: string;
  path: string;
  first_seen_at: number;
  last_seen_at: number;
}

const COLUMNS = 'resource_server_id, scope, method, path, first_seen_at, last_seen_at';

const seeRoute = statement(
  'scope_routes_see',
  `UPDATE scope_routes SET last_seen_at = $5
   WHERE resource_server_id = $1 AND scope = $2 AND method = $3 AND path = $4`,
);
const insertRoute = statement(
  'scope_routes_insert',
  `INSERT INTO scope_routes (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $5)
   ON CONFLICT (resource_server_id, scope, path, method) DO UPDATE SET last_seen_at = excluded.last_seen_at`,
);
const countRoutes = statement(
  'scope_routes_count',
  'SELECT count(*) AS count FROM scope_routes WHERE resource_server_id = $1',
);
const selectOf = statement(
  'scope_routes_of',
  `SELECT ${COLUMNS} FROM scope_routes WHERE resource_server_id = $1 ORDER BY scope, path, method`,
);
const selectLate = statement(
  'scope_routes_late',
  `SELECT r.resource_server_id, r.scope, r.method, r.path, r.first_seen_at, r.last_seen_at FROM scope_routes r
   JOIN (SELECT resource_server_id, scope, min(first_seen_at) AS begun FROM scope_routes
         GROUP BY resource_server_id, scope) b
     ON b.resource_server_id = r.resource_server_id AND b.scope = r.scope
   WHERE r.first_seen_at > b.begun + $1
   ORDER BY r.first_seen_at DESC, r.resource_server_id, r.scope, r.path, r.method LIMIT 10000`,
);

function fromRow(row: ScopeRouteRow): ScopeRouteRecord {
  return {
    resourceServerId: row.resource_server_id,
    scope: row.scope,
    method: row.method,
    path: row.path,
    firstSeenAt: row.first_seen_at,
    lastSeenAt: row.last_seen_at,
  };
}

export function scopeRouteStore(session: Session): ScopeRouteStore {
  return {
    tell: (resourceServerId, routes, at, most) =>
      session.write(async (tx) => {
        let known: number | undefined;
        for (const { scope, method, path } of routes) {
          const params = [resourceServerId, scope, method, path, at];
          if ((await tx.run(seeRoute, params)) > 0) continue;
          known ??= Number((await tx.query<{ count: number }>(countRoutes, [resourceServerId]))[0]?.count);
          if (known >= most) continue;
          await tx.run(insertRoute, params);
          known++;
        }
      }),
    of: async (resourceServerId) =>
      (await session.query<ScopeRouteRow>(selectOf, [resourceServerId])).map(fromRow),
    late: async (after) => (await session.query<ScopeRouteRow>(selectLate, [after])).map(fromRow),
  };
}
