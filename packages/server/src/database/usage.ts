import type { UsageRecord, UsageStore } from '../storage/usage.ts';
import { type Session, statement } from './database.ts';

interface UsageRow {
  access_id: string;
  scope: string;
  credential_id: string;
  resource_server_id: string;
  ok: number;
  denied: number;
  last_ok_at: number | null;
  last_denied_at: number | null;
  days: string;
  oldest_age: number | null;
  unaged_at: number | null;
}

const COLUMNS =
  'access_id, scope, credential_id, resource_server_id, ok, denied, last_ok_at, last_denied_at, days, oldest_age, unaged_at';

/** Lists of ids are one parameter, a JSON array: the text is the same for any number of them. */
const selectRegistered = statement('usage_registered', {
  sqlite: `SELECT a.id AS access_id, c.id AS credential_id FROM access a
    JOIN credentials c ON c.identity_id = a.identity_id
    WHERE a.resource_server_id = $1 AND a.id IN (SELECT value FROM json_each($2))
      AND c.id IN (SELECT value FROM json_each($3))`,
  postgres: `SELECT a.id AS access_id, c.id AS credential_id FROM access a
    JOIN credentials c ON c.identity_id = a.identity_id
    WHERE a.resource_server_id = $1 AND a.id IN (SELECT json_array_elements_text($2::json))
      AND c.id IN (SELECT json_array_elements_text($3::json))`,
});
const selectOfAccess = statement('usage_of_access', {
  sqlite: `SELECT ${COLUMNS} FROM usage WHERE access_id IN (SELECT value FROM json_each($1))
    ORDER BY access_id, scope, credential_id`,
  postgres: `SELECT ${COLUMNS} FROM usage WHERE access_id IN (SELECT json_array_elements_text($1::json))
    ORDER BY access_id, scope, credential_id`,
});
const selectLast = statement('usage_last_of_credentials', {
  sqlite: `SELECT credential_id, max(last_ok_at) AS last_ok_at FROM usage
    WHERE last_ok_at IS NOT NULL AND credential_id IN (SELECT value FROM json_each($1)) GROUP BY credential_id`,
  postgres: `SELECT credential_id, max(last_ok_at) AS last_ok_at FROM usage
    WHERE last_ok_at IS NOT NULL AND credential_id IN (SELECT json_array_elements_text($1::json))
    GROUP BY credential_id`,
});
const putUsage = statement(
  'usage_put',
  `INSERT INTO usage (${COLUMNS}, last_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
   ON CONFLICT (access_id, scope, credential_id) DO UPDATE SET ok = excluded.ok, denied = excluded.denied,
     last_ok_at = excluded.last_ok_at, last_denied_at = excluded.last_denied_at, days = excluded.days,
     oldest_age = excluded.oldest_age, unaged_at = excluded.unaged_at,
     last_at = excluded.last_at`,
);
const deleteOld = statement(
  'usage_sweep',
  `DELETE FROM usage WHERE (access_id, scope, credential_id) IN
     (SELECT access_id, scope, credential_id FROM usage WHERE last_at < $1 ORDER BY last_at LIMIT 10000)`,
);

function fromRow(row: UsageRow): UsageRecord {
  return {
    accessId: row.access_id,
    scope: row.scope,
    credentialId: row.credential_id,
    resourceServerId: row.resource_server_id,
    ok: row.ok,
    denied: row.denied,
    lastOkAt: row.last_ok_at ?? undefined,
    lastDeniedAt: row.last_denied_at ?? undefined,
    days: row.days,
    ...(row.oldest_age === null ? {} : { oldestAge: row.oldest_age }),
    ...(row.unaged_at === null ? {} : { unagedAt: row.unaged_at }),
  };
}

export function usageStore(session: Session): UsageStore {
  return {
    registered: async (resourceServerId, accessIds, credentialIds) => {
      const params = [resourceServerId, JSON.stringify(accessIds), JSON.stringify(credentialIds)];
      const rows = await session.query<Pick<UsageRow, 'access_id' | 'credential_id'>>(
        selectRegistered,
        params,
      );
      return rows.map((row) => ({ accessId: row.access_id, credentialId: row.credential_id }));
    },
    ofAccess: async (accessIds) =>
      (await session.query<UsageRow>(selectOfAccess, [JSON.stringify(accessIds)])).map(fromRow),
    lastOfCredentials: async (credentialIds) => {
      const rows = await session.query<{ credential_id: string; last_ok_at: number }>(selectLast, [
        JSON.stringify(credentialIds),
      ]);
      return new Map(rows.map((row) => [row.credential_id, row.last_ok_at]));
    },
    put: (records) =>
      session.write(async (tx) => {
        for (const record of records) {
          await tx.run(putUsage, [
            record.accessId,
            record.scope,
            record.credentialId,
            record.resourceServerId,
            record.ok,
            record.denied,
            record.lastOkAt,
            record.lastDeniedAt,
            record.days,
            record.oldestAge,
            record.unagedAt,
            Math.max(record.lastOkAt ?? 0, record.lastDeniedAt ?? 0),
          ]);
        }
      }),
    sweep: (before) => session.run(deleteOld, [before]),
  };
}
