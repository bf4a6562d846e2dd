import type { UnregisteredCallerRecord, UnregisteredCallerStore } from '../storage/unregistered-callers.ts';
import { type Session, statement } from './database.ts';

interface CallerRow {
  resource_server_id: string;
  issuer: string;
  caller: string;
  reporter_id: string;
  ok: number;
  denied: number;
  last_ok_at: number | null;
  first_at: number;
  last_at: number;
}

const COLUMNS = 'resource_server_id, issuer, caller, reporter_id, ok, denied, last_ok_at, first_at, last_at';

const selectOf = statement(
  'unregistered_callers_of',
  `SELECT ${COLUMNS} FROM unregistered_callers WHERE resource_server_id = $1 ORDER BY issuer, caller LIMIT 1000`,
);
const putCaller = statement(
  'unregistered_callers_put',
  `INSERT INTO unregistered_callers (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
   ON CONFLICT (resource_server_id, issuer, caller) DO UPDATE SET reporter_id = excluded.reporter_id,
     ok = excluded.ok, denied = excluded.denied, last_ok_at = excluded.last_ok_at, last_at = excluded.last_at`,
);
const selectLetIn = statement(
  'unregistered_callers_let_in',
  `SELECT ${COLUMNS} FROM unregistered_callers WHERE last_ok_at >= $1
   ORDER BY resource_server_id, issuer, caller LIMIT 10000`,
);
const deleteOld = statement(
  'unregistered_callers_sweep',
  `DELETE FROM unregistered_callers WHERE (resource_server_id, issuer, caller) IN
     (SELECT resource_server_id, issuer, caller FROM unregistered_callers WHERE last_at < $1
      ORDER BY last_at LIMIT 10000)`,
);

function fromRow(row: CallerRow): UnregisteredCallerRecord {
  return {
    resourceServerId: row.resource_server_id,
    issuer: row.issuer,
    caller: row.caller,
    reporterId: row.reporter_id,
    ok: row.ok,
    denied: row.denied,
    lastOkAt: row.last_ok_at ?? undefined,
    firstAt: row.first_at,
    lastAt: row.last_at,
  };
}

export function unregisteredCallerStore(session: Session): UnregisteredCallerStore {
  return {
    of: async (resourceServerId) =>
      (await session.query<CallerRow>(selectOf, [resourceServerId])).map(fromRow),
    put: (records) =>
      session.write(async (tx) => {
        for (const each of records) {
          await tx.run(putCaller, [
            each.resourceServerId,
            each.issuer,
            each.caller,
            each.reporterId,
            each.ok,
            each.denied,
            each.lastOkAt,
            each.firstAt,
            each.lastAt,
          ]);
        }
      }),
    letInSince: async (at) => (await session.query<CallerRow>(selectLetIn, [at])).map(fromRow),
    sweep: (before) => session.run(deleteOld, [before]),
  };
}
