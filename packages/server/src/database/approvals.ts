import type {
  ApprovalDecisionRecord,
  ApprovalRequestRecord,
  ApprovalState,
  ApprovalStore,
  ApprovalSubject,
  Party,
} from '../storage/approvals.ts';
import { StorageError } from '../storage/errors.ts';
import { type Connection, type Session, type SqlParam, statement } from './database.ts';
import { conditions, OLDEST_FIRST, pageOf, pageStatement } from './list.ts';

interface RequestRow {
  id: string;
  subject: string;
  subject_id: string;
  op: string;
  identity_id: string;
  resource_server_id: string | null;
  /** JSON. */
  content: string;
  content_hash: string;
  sensitivity: number;
  requested_by: string;
  /** JSON. */
  parties: string;
  state: string;
  reason: string | null;
  expires_at: number;
  decided_at: number | null;
  created_at: number;
  updated_at: number;
  version: number;
}

interface DecisionRow {
  request_id: string;
  issuer: string;
  subject: string;
  handle: string;
  email: string | null;
  /** JSON. */
  roles: string;
  /** JSON. */
  teams: string;
  decision: string;
  comment: string | null;
  content_hash: string;
  at: number;
}

const COLUMNS = `id, subject, subject_id, op, identity_id, resource_server_id, content, content_hash, sensitivity,
  requested_by, parties, state, reason, expires_at, decided_at, created_at, updated_at, version`;
const DECISION =
  'request_id, issuer, subject, handle, email, roles, teams, decision, comment, content_hash, at';

const insertRequest = statement(
  'approval_requests_insert',
  `INSERT INTO approval_requests (${COLUMNS})
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
);
const replaceRequest = statement(
  'approval_requests_replace',
  `UPDATE approval_requests SET state = $2, reason = $3, decided_at = $4, updated_at = $5, version = $6
   WHERE id = $1 AND version = $7`,
);
const selectById = statement(
  'approval_requests_by_id',
  `SELECT ${COLUMNS} FROM approval_requests WHERE id = $1`,
);
const selectDue = statement(
  'approval_requests_due',
  `SELECT ${COLUMNS} FROM approval_requests WHERE state = 'pending' AND expires_at <= $1
   ORDER BY expires_at, id LIMIT $2`,
);
const insertDecision = statement(
  'approval_decisions_insert',
  `INSERT INTO approval_decisions (${DECISION}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
);

function requestRow(record: ApprovalRequestRecord): SqlParam[] {
  return [
    record.id,
    record.subject,
    record.subjectId,
    record.op,
    record.identityId,
    record.resourceServerId,
    JSON.stringify(record.content),
    record.contentHash,
    record.sensitivity,
    record.requestedBy,
    JSON.stringify(record.parties),
    record.state,
    record.reason,
    record.expiresAt,
    record.decidedAt,
    record.createdAt,
    record.updatedAt,
    record.version,
  ];
}

function requestOf(row: RequestRow): ApprovalRequestRecord {
  return {
    id: row.id,
    subject: row.subject as ApprovalSubject,
    subjectId: row.subject_id,
    op: row.op as ApprovalRequestRecord['op'],
    identityId: row.identity_id,
    resourceServerId: row.resource_server_id ?? undefined,
    content: JSON.parse(row.content) as Record<string, unknown>,
    contentHash: row.content_hash,
    sensitivity: row.sensitivity,
    requestedBy: row.requested_by,
    parties: JSON.parse(row.parties) as Party[],
    state: row.state as ApprovalState,
    reason: row.reason ?? undefined,
    expiresAt: row.expires_at,
    decidedAt: row.decided_at ?? undefined,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  };
}

function decisionOf(row: DecisionRow): ApprovalDecisionRecord {
  return {
    requestId: row.request_id,
    issuer: row.issuer,
    subject: row.subject,
    handle: row.handle,
    email: row.email ?? undefined,
    roles: JSON.parse(row.roles) as string[],
    teams: JSON.parse(row.teams) as string[],
    decision: row.decision as ApprovalDecisionRecord['decision'],
    comment: row.comment ?? undefined,
    contentHash: row.content_hash,
    at: row.at,
  };
}

/** Rows whose column is one of the values: none of them, no statement. */
async function rowsOf<R>(
  connection: Connection,
  select: string,
  column: string,
  values: readonly string[],
  rest: string,
): Promise<R[]> {
  if (values.length === 0) return [];
  const where = conditions();
  where.add(`${column} IN (${values.map((value) => where.param(value)).join(', ')})`);
  return await connection.query<R>(statement('', `${select} ${where.text()} ${rest}`), where.params);
}

export function approvalStore(session: Session): ApprovalStore {
  const requests = async (text: ReturnType<typeof statement>, params: readonly SqlParam[]) =>
    (await session.query<RequestRow>(text, params)).map(requestOf);
  return {
    insert: (record) =>
      session.write(async (tx) => {
        await tx.run(insertRequest, requestRow(record));
      }),
    replace: (record) =>
      session.write(async (tx) => {
        const { id, state, reason, decidedAt, updatedAt, version } = record;
        const params = [id, state, reason, decidedAt, updatedAt, version, version - 1];
        if ((await tx.run(replaceRequest, params)) === 0) {
          throw new StorageError('version_conflict', 'approval_requests');
        }
      }),
    byId: async (id) => (await requests(selectById, [id]))[0],
    pendingOf: async (subjectIds) => {
      const select = `SELECT ${COLUMNS} FROM approval_requests`;
      const rest = "AND state = 'pending' ORDER BY created_at, id";
      return (await rowsOf<RequestRow>(session, select, 'subject_id', subjectIds, rest)).map(requestOf);
    },
    list: async (filter, page) => {
      const where = conditions();
      where.equals('state', filter.state);
      where.equals('subject_id', filter.subjectId);
      where.equals('identity_id', filter.identityId);
      where.equals('resource_server_id', filter.resourceServerId);
      const text = pageStatement(`SELECT ${COLUMNS} FROM approval_requests`, where, OLDEST_FIRST, page);
      return pageOf(await requests(text, where.params), page.limit);
    },
    due: (now, limit) => requests(selectDue, [now, limit]),
    decide: (decision) =>
      session.write(async (tx) => {
        await tx.run(insertDecision, [
          decision.requestId,
          decision.issuer,
          decision.subject,
          decision.handle,
          decision.email,
          JSON.stringify(decision.roles),
          JSON.stringify(decision.teams),
          decision.decision,
          decision.comment,
          decision.contentHash,
          decision.at,
        ]);
      }),
    decisionsOf: async (requestIds) => {
      const select = `SELECT ${DECISION} FROM approval_decisions`;
      const rows = rowsOf<DecisionRow>(
        session,
        select,
        'request_id',
        requestIds,
        'ORDER BY at, issuer, subject',
      );
      return (await rows).map(decisionOf);
    },
  };
}
