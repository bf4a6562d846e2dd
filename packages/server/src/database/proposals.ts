import { StorageError } from '../storage/errors.ts';
import type {
  Applied,
  ProposalBasis,
  ProposalKind,
  ProposalRecord,
  ProposalState,
  ProposalStore,
  ProposalSubject,
  ProposedChange,
} from '../storage/proposals.ts';
import { type Session, type SqlParam, statement } from './database.ts';
import { conditions, OLDEST_FIRST, pageOf, pageStatement } from './list.ts';

interface ProposalRow {
  id: string;
  kind: string;
  identity_id: string;
  subject: string;
  subject_id: string;
  state: string;
  reason: string;
  resource: string | null;
  /** JSON, as the next one and `applied`. */
  change: string;
  basis: string;
  dismissed_by: string | null;
  dismissed_reason: string | null;
  dismissed_until: number | null;
  applied: string | null;
  refusals: number;
  last_refused_at: number | null;
  next_at: number | null;
  created_at: number;
  updated_at: number;
  version: number;
}

const COLUMNS = `id, kind, identity_id, subject, subject_id, state, reason, resource, change, basis, dismissed_by,
  dismissed_reason, dismissed_until, applied, refusals, last_refused_at, next_at, created_at, updated_at, version`;
const LIVE = "state IN ('open', 'dismissed', 'applied', 'rollback_requested')";

const insertProposal = statement(
  'proposals_insert',
  `INSERT INTO proposals (${COLUMNS})
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`,
);
const replaceProposal = statement(
  'proposals_replace',
  `UPDATE proposals SET state = $6, reason = $7, resource = $8, change = $9, basis = $10, dismissed_by = $11,
     dismissed_reason = $12, dismissed_until = $13, applied = $14, refusals = $15, last_refused_at = $16,
     next_at = $17, updated_at = $19, version = $20
   WHERE id = $1 AND kind = $2 AND identity_id = $3 AND subject = $4 AND subject_id = $5 AND created_at = $18
     AND version = $21`,
);
const selectById = statement('proposals_by_id', `SELECT ${COLUMNS} FROM proposals WHERE id = $1`);
/** SQLite would walk through all that is live otherwise. */
const liveOf = (ids: string, hint = ''): string =>
  `SELECT ${COLUMNS} FROM proposals ${hint} WHERE identity_id IN (${ids}) AND ${LIVE} ORDER BY identity_id, created_at, id`;
const selectLive = statement('proposals_live_of', {
  sqlite: liveOf('SELECT value FROM json_each($1)', 'INDEXED BY proposals_live'),
  postgres: liveOf('SELECT json_array_elements_text($1::json)'),
});
const selectDue = statement(
  'proposals_due',
  `SELECT ${COLUMNS} FROM proposals WHERE next_at IS NOT NULL AND next_at <= $1 ORDER BY next_at, id LIMIT $2`,
);

function toRow(record: ProposalRecord): SqlParam[] {
  return [
    record.id,
    record.kind,
    record.identityId,
    record.subject,
    record.subjectId,
    record.state,
    record.reason,
    record.resource,
    JSON.stringify(record.change),
    JSON.stringify(record.basis),
    record.dismissedBy,
    record.dismissedReason,
    record.dismissedUntil,
    record.applied && JSON.stringify(record.applied),
    record.refusals,
    record.lastRefusedAt,
    record.nextAt,
    record.createdAt,
    record.updatedAt,
    record.version,
  ];
}

function fromRow(row: ProposalRow): ProposalRecord {
  return {
    id: row.id,
    kind: row.kind as ProposalKind,
    identityId: row.identity_id,
    subject: row.subject as ProposalSubject,
    subjectId: row.subject_id,
    state: row.state as ProposalState,
    reason: row.reason,
    resource: row.resource ?? undefined,
    change: JSON.parse(row.change) as ProposedChange,
    basis: JSON.parse(row.basis) as ProposalBasis,
    dismissedBy: row.dismissed_by ?? undefined,
    dismissedReason: row.dismissed_reason ?? undefined,
    dismissedUntil: row.dismissed_until ?? undefined,
    applied: row.applied === null ? undefined : (JSON.parse(row.applied) as Applied),
    refusals: row.refusals,
    lastRefusedAt: row.last_refused_at ?? undefined,
    nextAt: row.next_at ?? undefined,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  };
}

export function proposalStore(session: Session): ProposalStore {
  return {
    insert: (record) =>
      session.write(async (tx) => {
        await tx.run(insertProposal, toRow(record));
      }),
    replace: (record) =>
      session.write(async (tx) => {
        const replaced = await tx.run(replaceProposal, [...toRow(record), record.version - 1]);
        if (replaced === 0) throw new StorageError('version_conflict', 'proposals');
      }),
    byId: async (id) => (await session.query<ProposalRow>(selectById, [id])).map(fromRow)[0],
    liveOf: async (identityIds) =>
      (await session.query<ProposalRow>(selectLive, [JSON.stringify(identityIds)])).map(fromRow),
    due: async (until, limit) => (await session.query<ProposalRow>(selectDue, [until, limit])).map(fromRow),
    list: async (filter, page) => {
      const where = conditions();
      where.equals('identity_id', filter.identityId);
      where.equals('subject_id', filter.subjectId);
      where.equals('kind', filter.kind);
      where.equals('state', filter.state);
      const text = pageStatement(`SELECT ${COLUMNS} FROM proposals`, where, OLDEST_FIRST, page);
      return pageOf((await session.query<ProposalRow>(text, where.params)).map(fromRow), page.limit);
    },
  };
}
