import { StorageError } from '../storage/errors.ts';
import type {
  OfferState,
  OfferStep,
  OwnershipOfferRecord,
  OwnershipOfferStore,
} from '../storage/ownership-offers.ts';
import { type Session, type SqlParam, type Statement, statement } from './database.ts';
import { conditions, lowerAscii, OLDEST_FIRST, pageOf, pageStatement } from './list.ts';

interface OfferRow {
  id: string;
  identity_id: string;
  from_person: string;
  to_person: string;
  candidate: string;
  step: string;
  state: string;
  reason: string | null;
  offered_by: string;
  due_at: number;
  decided_by: string | null;
  decided_at: number | null;
  created_at: number;
  updated_at: number;
  version: number;
}

const COLUMNS = `id, identity_id, from_person, to_person, candidate, step, state, reason, offered_by, due_at, decided_by,
  decided_at, created_at, updated_at, version`;
const insertOffer = statement(
  'ownership_offers_insert',
  `INSERT INTO ownership_offers (${COLUMNS}, candidate_key)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
);
const replaceOffer = statement(
  'ownership_offers_replace',
  `UPDATE ownership_offers SET candidate = $5, step = $6, state = $7, reason = $8, due_at = $10, decided_by = $11,
     decided_at = $12, updated_at = $14, version = $15, candidate_key = $16
   WHERE id = $1 AND identity_id = $2 AND from_person = $3 AND to_person = $4 AND offered_by = $9 AND created_at = $13
     AND version = $17`,
);
const select = (name: string, rest: string): Statement =>
  statement(name, `SELECT ${COLUMNS} FROM ownership_offers ${rest}`);
const selectById = select('ownership_offers_by_id', 'WHERE id = $1');
const selectLatest = select(
  'ownership_offers_latest',
  `WHERE identity_id = $1
   ORDER BY CASE state WHEN 'open' THEN 0 ELSE 1 END, created_at DESC, updated_at DESC, id DESC LIMIT 1`,
);
const selectDue = select(
  'ownership_offers_due',
  "WHERE state = 'open' AND due_at <= $1 ORDER BY due_at, id LIMIT $2",
);

function toRow(record: OwnershipOfferRecord): SqlParam[] {
  return [
    record.id,
    record.identityId,
    record.from,
    record.to,
    record.candidate,
    record.step,
    record.state,
    record.reason,
    record.offeredBy,
    record.dueAt,
    record.decidedBy,
    record.decidedAt,
    record.createdAt,
    record.updatedAt,
    record.version,
    lowerAscii(record.candidate),
  ];
}

function fromRow(row: OfferRow): OwnershipOfferRecord {
  return {
    id: row.id,
    identityId: row.identity_id,
    from: row.from_person,
    to: row.to_person,
    candidate: row.candidate,
    step: row.step as OfferStep,
    state: row.state as OfferState,
    reason: row.reason ?? undefined,
    offeredBy: row.offered_by,
    dueAt: row.due_at,
    decidedBy: row.decided_by ?? undefined,
    decidedAt: row.decided_at ?? undefined,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  };
}

export function ownershipOfferStore(session: Session): OwnershipOfferStore {
  const read = async (text: Statement, params: readonly SqlParam[]): Promise<OwnershipOfferRecord[]> =>
    (await session.query<OfferRow>(text, params)).map(fromRow);
  return {
    insert: (record) =>
      session.write(async (tx) => {
        await tx.run(insertOffer, toRow(record));
        tx.changed({ kind: 'identity', identityId: record.identityId });
      }),
    replace: (record) =>
      session.write(async (tx) => {
        const replaced = await tx.run(replaceOffer, [...toRow(record), record.version - 1]);
        if (replaced === 0) throw new StorageError('version_conflict', 'ownership_offers');
        tx.changed({ kind: 'identity', identityId: record.identityId });
      }),
    byId: async (id) => (await read(selectById, [id]))[0],
    latestOf: async (identityId) => (await read(selectLatest, [identityId]))[0],
    due: (now, limit) => read(selectDue, [now, limit]),
    list: async (filter, page) => {
      const where = conditions();
      where.equals('identity_id', filter.identityId);
      where.equals('candidate_key', filter.candidate && lowerAscii(filter.candidate));
      where.equals('state', filter.state);
      const text = pageStatement(`SELECT ${COLUMNS} FROM ownership_offers`, where, OLDEST_FIRST, page);
      return pageOf(await read(text, where.params), page.limit);
    },
  };
}
