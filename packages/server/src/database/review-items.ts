import type { AccessState } from '../storage/access.ts';
import type { Party } from '../storage/approvals.ts';
import { StorageError } from '../storage/errors.ts';
import type {
  RemediationState,
  ReviewCounts,
  ReviewItemNow,
  ReviewItemRecord,
  ReviewItemState,
  ReviewItemStore,
  ReviewVerdict,
} from '../storage/review-items.ts';
import { type Session, type SqlParam, statement } from './database.ts';
import { type Conditions, conditions, duePage, pageOf, pageStatement } from './list.ts';

interface Row {
  id: string;
  review_id: string;
  access_id: string;
  access_version: number;
  identity_id: string;
  resource_server_id: string;
  /** JSON. */
  requesters: string;
  reviewer: string;
  fallback: string;
  handed_on: number;
  state: string;
  /** JSON. */
  verdict: string | null;
  decided_at: number | null;
  remediation: string;
  remediation_reason: string | null;
  cutoff_id: string | null;
  effective_at: number | null;
  check_at: number | null;
  created_at: number;
  updated_at: number;
  version: number;
  now_version: number;
  now_state: string;
  /** JSON. */
  now_scopes: string;
}

/** Given at the beginning for ever. */
const FIXED = ['id', 'review_id', 'access_id', 'identity_id', 'resource_server_id', 'fallback', 'created_at'];
const MUTABLE = [
  'requesters',
  'access_version',
  'reviewer',
  'handed_on',
  'state',
  'verdict',
  'decided_at',
  'remediation',
  'remediation_reason',
  'cutoff_id',
  'effective_at',
  'check_at',
  'updated_at',
  'version',
];
const COLUMNS = [...FIXED, ...MUTABLE];

const insertRow = statement(
  'review_items_insert',
  `INSERT INTO review_items (${COLUMNS.join(', ')})
   VALUES (${COLUMNS.map((_, place) => `$${place + 1}`).join(', ')})`,
);
const replaceRow = statement(
  'review_items_replace',
  `UPDATE review_items SET ${MUTABLE.map((column, place) => `${column} = $${place + 2}`).join(', ')}
   WHERE id = $1 AND version = $${MUTABLE.length + 2}`,
);
const SELECT = `SELECT ${COLUMNS.map((column) => `i.${column}`).join(', ')},
  a.version AS now_version, a.state AS now_state, a.scopes AS now_scopes
  FROM review_items i JOIN access a ON a.id = i.access_id`;
const selectFailed = statement(
  'review_items_failed',
  `${SELECT} WHERE i.remediation = 'failed' ORDER BY i.id LIMIT $1`,
);
const selectById = statement('review_items_by_id', `${SELECT} WHERE i.id = $1`);
const countStates = statement(
  'review_items_counts',
  `SELECT state, remediation, COUNT(*) AS n FROM review_items WHERE review_id = $1 GROUP BY state, remediation`,
);
const waitingBy = (column: 'reviewer' | 'fallback') =>
  statement(
    `review_items_waiting_${column}`,
    `SELECT ${column} AS reviewer, COUNT(*) AS items FROM review_items WHERE review_id = $1 AND state = 'pending'
     GROUP BY ${column} ORDER BY items DESC, ${column} LIMIT $2`,
  );
const WAITING = { reviewer: waitingBy('reviewer'), fallback: waitingBy('fallback') };
const TO_CHECK = statement(
  'review_items_to_check',
  `SELECT id, check_at AS at FROM review_items
   WHERE check_at IS NOT NULL AND check_at <= $1 AND (check_at, id) > ($2, $3) ORDER BY check_at, id LIMIT $4`,
);

function fixedOf(record: ReviewItemRecord): SqlParam[] {
  return [
    record.id,
    record.reviewId,
    record.accessId,
    record.identityId,
    record.resourceServerId,
    record.fallback,
    record.createdAt,
  ];
}

function mutableOf(record: ReviewItemRecord): SqlParam[] {
  return [
    JSON.stringify(record.requesters),
    record.accessVersion,
    record.reviewer,
    record.handedOn,
    record.state,
    record.verdict && JSON.stringify(record.verdict),
    record.decidedAt,
    record.remediation,
    record.remediationReason,
    record.cutoffId,
    record.effectiveAt,
    record.checkAt,
    record.updatedAt,
    record.version,
  ];
}

function recordOf(row: Row): ReviewItemNow {
  return {
    id: row.id,
    reviewId: row.review_id,
    accessId: row.access_id,
    accessVersion: row.access_version,
    identityId: row.identity_id,
    resourceServerId: row.resource_server_id,
    requesters: JSON.parse(row.requesters) as Party[],
    reviewer: row.reviewer,
    fallback: row.fallback,
    handedOn: row.handed_on,
    state: row.state as ReviewItemState,
    verdict: row.verdict === null ? undefined : (JSON.parse(row.verdict) as ReviewVerdict),
    decidedAt: row.decided_at ?? undefined,
    remediation: row.remediation as RemediationState,
    remediationReason: row.remediation_reason ?? undefined,
    cutoffId: row.cutoff_id ?? undefined,
    effectiveAt: row.effective_at ?? undefined,
    checkAt: row.check_at ?? undefined,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
    now: {
      version: row.now_version,
      state: row.now_state as AccessState,
      scopes: JSON.parse(row.now_scopes) as string[],
    },
  };
}

function countsOf(
  rows: readonly { readonly state: string; readonly remediation: string; readonly n: number }[],
): ReviewCounts {
  const states = { pending: 0, kept: 0, reduced: 0, revoked: 0, silent: 0, gone: 0 };
  const remediation = { none: 0, pending: 0, verified: 0, failed: 0, unverifiable: 0 };
  for (const row of rows) {
    states[row.state as ReviewItemState] += row.n;
    remediation[row.remediation as RemediationState] += row.n;
  }
  return { states, remediation };
}

function addReviewers(where: Conditions, reviewers: readonly string[], orFallback: boolean): void {
  if (reviewers.length === 0) {
    where.add('1 = 0');
    return;
  }
  const names = reviewers.map((each) => where.param(each)).join(', ');
  where.add(
    orFallback ? `(i.reviewer IN (${names}) OR i.fallback IN (${names}))` : `i.reviewer IN (${names})`,
  );
}

export function reviewItemStore(session: Session): ReviewItemStore {
  return {
    insert: (records) =>
      session.write(async (tx) => {
        for (const record of records) await tx.run(insertRow, [...fixedOf(record), ...mutableOf(record)]);
      }),
    replace: (record) =>
      session.write(async (tx) => {
        const replaced = await tx.run(replaceRow, [record.id, ...mutableOf(record), record.version - 1]);
        if (replaced === 0) throw new StorageError('version_conflict', 'review_items');
      }),
    byId: async (id) => (await session.query<Row>(selectById, [id])).map(recordOf)[0],
    list: async (reviewId, { state, reviewers, orFallback = false }, page) => {
      const where = conditions();
      where.equals('i.review_id', reviewId);
      where.equals('i.state', state);
      if (reviewers !== undefined) addReviewers(where, reviewers, orFallback);
      const text = pageStatement(SELECT, where, { createdAt: 'i.created_at', id: 'i.id' }, page);
      return pageOf((await session.query<Row>(text, where.params)).map(recordOf), page.limit);
    },
    counts: async (reviewId) => countsOf(await session.query(countStates, [reviewId])),
    waiting: (reviewId, by, limit) => session.query(WAITING[by], [reviewId, limit]),
    failed: async (limit) => (await session.query<Row>(selectFailed, [limit])).map(recordOf),
    toCheck: (now, page) => duePage(session, TO_CHECK, now, page),
  };
}
