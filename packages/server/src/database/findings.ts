import { StorageError } from '../storage/errors.ts';
import type {
  FindingKind,
  FindingRecord,
  FindingSeverity,
  FindingState,
  FindingStore,
  FindingSubject,
} from '../storage/findings.ts';
import { type Session, type SqlParam, statement } from './database.ts';
import { conditions, OLDEST_FIRST, pageOf, pageStatement } from './list.ts';

interface FindingRow {
  id: string;
  kind: string;
  identity_id: string;
  subject: string;
  subject_id: string;
  severity: string;
  reason: string;
  fix: string;
  state: string;
  accepted_by: string | null;
  accepted_reason: string | null;
  accepted_until: number | null;
  last_seen_at: number;
  resolved_at: number | null;
  created_at: number;
  updated_at: number;
  version: number;
}

const COLUMNS = `id, kind, identity_id, subject, subject_id, severity, reason, fix, state, accepted_by, accepted_reason,
  accepted_until, last_seen_at, resolved_at, created_at, updated_at, version`;

const insertFinding = statement(
  'findings_insert',
  `INSERT INTO findings (${COLUMNS})
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
);
const replaceFinding = statement(
  'findings_replace',
  `UPDATE findings SET severity = $6, reason = $7, fix = $8, state = $9, accepted_by = $10, accepted_reason = $11,
     accepted_until = $12, last_seen_at = $13, resolved_at = $14, updated_at = $16, version = $17
   WHERE id = $1 AND kind = $2 AND identity_id = $3 AND subject = $4 AND subject_id = $5 AND created_at = $15
     AND version = $18`,
);
const seeFinding = statement(
  'findings_seen',
  `UPDATE findings SET last_seen_at = $2 WHERE id = $1 AND state IN ('open', 'accepted')`,
);
const selectById = statement('findings_by_id', `SELECT ${COLUMNS} FROM findings WHERE id = $1`);
const selectLive = statement(
  'findings_live_of_identity',
  `SELECT ${COLUMNS} FROM findings WHERE identity_id = $1 AND state IN ('open', 'accepted')
   ORDER BY created_at, id LIMIT 10000`,
);

function toRow(record: FindingRecord): SqlParam[] {
  return [
    record.id,
    record.kind,
    record.identityId,
    record.subject,
    record.subjectId,
    record.severity,
    record.reason,
    record.fix,
    record.state,
    record.acceptedBy,
    record.acceptedReason,
    record.acceptedUntil,
    record.lastSeenAt,
    record.resolvedAt,
    record.createdAt,
    record.updatedAt,
    record.version,
  ];
}

function fromRow(row: FindingRow): FindingRecord {
  return {
    id: row.id,
    kind: row.kind as FindingKind,
    identityId: row.identity_id,
    subject: row.subject as FindingSubject,
    subjectId: row.subject_id,
    severity: row.severity as FindingSeverity,
    reason: row.reason,
    fix: row.fix,
    state: row.state as FindingState,
    acceptedBy: row.accepted_by ?? undefined,
    acceptedReason: row.accepted_reason ?? undefined,
    acceptedUntil: row.accepted_until ?? undefined,
    lastSeenAt: row.last_seen_at,
    resolvedAt: row.resolved_at ?? undefined,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  };
}

export function findingStore(session: Session): FindingStore {
  return {
    insert: (record) =>
      session.write(async (tx) => {
        await tx.run(insertFinding, toRow(record));
      }),
    replace: (record) =>
      session.write(async (tx) => {
        const replaced = await tx.run(replaceFinding, [...toRow(record), record.version - 1]);
        if (replaced === 0) throw new StorageError('version_conflict', 'findings');
      }),
    seen: (id, at) =>
      session.write(async (tx) => {
        await tx.run(seeFinding, [id, at]);
      }),
    byId: async (id) => (await session.query<FindingRow>(selectById, [id])).map(fromRow)[0],
    liveOfIdentity: async (identityId) =>
      (await session.query<FindingRow>(selectLive, [identityId])).map(fromRow),
    list: async (filter, page) => {
      const where = conditions();
      where.equals('identity_id', filter.identityId);
      where.equals('subject_id', filter.subjectId);
      where.equals('kind', filter.kind);
      where.equals('severity', filter.severity);
      where.equals('state', filter.state);
      const text = pageStatement(`SELECT ${COLUMNS} FROM findings`, where, OLDEST_FIRST, page);
      return pageOf((await session.query<FindingRow>(text, where.params)).map(fromRow), page.limit);
    },
  };
}
