import type { ReporterRecord, ReporterStore, WaitingReport } from '../storage/usage-reporters.ts';
import { type Session, type SqlParam, statement } from './database.ts';

interface ReporterRow {
  resource_server_id: string;
  instance: string;
  boot: string;
  identity_id: string;
  upto: number;
  /** JSON. */
  beyond: string;
  told_until: number;
  ended: number;
  received_at: number;
  created_at: number;
}

const COLUMNS =
  'resource_server_id, instance, boot, identity_id, upto, beyond, told_until, ended, received_at, created_at';

/** Holds the row until the transaction ends. */
const lockReports = statement(
  'usage_lock',
  `INSERT INTO usage_reporting (resource_server_id, reports) VALUES ($1, 1)
   ON CONFLICT (resource_server_id) DO UPDATE SET reports = usage_reporting.reports + 1`,
);
const selectReporter = statement(
  'usage_reporter',
  `SELECT ${COLUMNS} FROM usage_reporters WHERE resource_server_id = $1 AND instance = $2 AND boot = $3`,
);
const putReporter = statement(
  'usage_reporter_put',
  `INSERT INTO usage_reporters (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
   ON CONFLICT (resource_server_id, instance, boot) DO UPDATE SET identity_id = excluded.identity_id,
     upto = excluded.upto, beyond = excluded.beyond, told_until = excluded.told_until, ended = excluded.ended,
     received_at = excluded.received_at`,
);
const countReporters = statement(
  'usage_reporters_count',
  'SELECT count(*) AS count FROM usage_reporters WHERE resource_server_id = $1',
);
/** The ids are one parameter, a JSON array: the text is the same for any number of them. */
const selectSilent = statement('usage_reporters_silent', {
  sqlite: `SELECT ${COLUMNS} FROM usage_reporters WHERE ended = 0 AND told_until < $2
    AND resource_server_id IN (SELECT value FROM json_each($1)) ORDER BY told_until LIMIT 10000`,
  postgres: `SELECT ${COLUMNS} FROM usage_reporters WHERE ended = 0 AND told_until < $2
    AND resource_server_id IN (SELECT json_array_elements_text($1::json)) ORDER BY told_until LIMIT 10000`,
});
const selectForgotten = statement(
  'usage_reporters_forgotten',
  `SELECT ${COLUMNS} FROM usage_reporters WHERE received_at < $1 ORDER BY received_at LIMIT 1000`,
);
const deleteReporter = statement(
  'usage_reporter_delete',
  'DELETE FROM usage_reporters WHERE resource_server_id = $1 AND instance = $2 AND boot = $3',
);
function toRow(record: ReporterRecord): SqlParam[] {
  return [
    record.resourceServerId,
    record.instance,
    record.boot,
    record.identityId,
    record.upto,
    JSON.stringify(record.beyond),
    record.toldUntil,
    record.ended,
    record.receivedAt,
    record.createdAt,
  ];
}

function fromRow(row: ReporterRow): ReporterRecord {
  return {
    resourceServerId: row.resource_server_id,
    instance: row.instance,
    boot: row.boot,
    identityId: row.identity_id,
    upto: row.upto,
    beyond: JSON.parse(row.beyond) as WaitingReport[],
    toldUntil: row.told_until,
    ended: row.ended === 1,
    receivedAt: row.received_at,
    createdAt: row.created_at,
  };
}

export function reporterStore(session: Session): ReporterStore {
  return {
    lock: async (resourceServerId) => {
      await session.run(lockReports, [resourceServerId]);
    },
    find: async ({ resourceServerId, instance, boot }) =>
      (await session.query<ReporterRow>(selectReporter, [resourceServerId, instance, boot])).map(fromRow)[0],
    put: async (record) => {
      await session.run(putReporter, toRow(record));
    },
    count: async (resourceServerId) =>
      Number((await session.query<{ count: number }>(countReporters, [resourceServerId]))[0]?.count ?? 0),
    silent: async (resourceServerIds, before) =>
      (await session.query<ReporterRow>(selectSilent, [JSON.stringify(resourceServerIds), before])).map(
        fromRow,
      ),
    forgotten: async (before) => (await session.query<ReporterRow>(selectForgotten, [before])).map(fromRow),
    delete: async ({ resourceServerId, instance, boot }) => {
      await session.run(deleteReporter, [resourceServerId, instance, boot]);
    },
  };
}
