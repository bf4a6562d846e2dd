import type { Party } from '../storage/approvals.ts';
import type { ClaimCodeRecord, ClaimCodeState, ClaimCodeStore } from '../storage/claim-codes.ts';
import { StorageError } from '../storage/errors.ts';
import { type Session, type SqlParam, statement } from './database.ts';
import { conditions, OLDEST_FIRST, pageOf, pageStatement } from './list.ts';

interface Row {
  id: string;
  identity_id: string;
  public_id: string;
  digest: string;
  state: string;
  /** JSON. */
  made_by: string;
  expires_at: number;
  used_at: number | null;
  subject_key: string | null;
  certificate_id: string | null;
  created_at: number;
  updated_at: number;
  version: number;
}

const COLUMNS =
  'id, identity_id, public_id, digest, state, made_by, expires_at, used_at, subject_key, certificate_id, created_at, updated_at, version';

const insertRow = statement(
  'claim_codes_insert',
  `INSERT INTO claim_codes (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
);
const replaceRow = statement(
  'claim_codes_replace',
  `UPDATE claim_codes SET state = $2, used_at = $3, subject_key = $4, certificate_id = $5, updated_at = $6, version = $7
   WHERE id = $1 AND version = $8`,
);
const selectById = statement('claim_codes_by_id', `SELECT ${COLUMNS} FROM claim_codes WHERE id = $1`);
const selectByPublicId = statement(
  'claim_codes_by_public_id',
  `SELECT ${COLUMNS} FROM claim_codes WHERE public_id = $1`,
);
const forgetEnded = statement(
  'claim_codes_forget',
  'DELETE FROM claim_codes WHERE id IN (SELECT id FROM claim_codes WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)',
);

function toRow(record: ClaimCodeRecord): SqlParam[] {
  const { used } = record;
  return [
    record.id,
    record.identityId,
    record.publicId,
    record.digest,
    record.state,
    JSON.stringify(record.madeBy),
    record.expiresAt,
    used?.at,
    used?.subjectKey,
    used?.certificateId,
    record.createdAt,
    record.updatedAt,
    record.version,
  ];
}

function fromRow(row: Row): ClaimCodeRecord {
  const { used_at: at, subject_key: subjectKey, certificate_id: certificateId } = row;
  return {
    id: row.id,
    identityId: row.identity_id,
    publicId: row.public_id,
    digest: row.digest,
    state: row.state as ClaimCodeState,
    madeBy: JSON.parse(row.made_by) as Party,
    expiresAt: row.expires_at,
    used:
      at === null || subjectKey === null || certificateId === null
        ? undefined
        : { at, subjectKey, certificateId },
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  };
}

export function claimCodeStore(session: Session): ClaimCodeStore {
  return {
    insert: (record) => session.write((tx) => tx.run(insertRow, toRow(record)).then(() => undefined)),
    replace: (record) =>
      session.write(async (tx) => {
        const { id, state, used, updatedAt, version } = record;
        const params = [id, state, used?.at, used?.subjectKey, used?.certificateId, updatedAt, version];
        if ((await tx.run(replaceRow, [...params, version - 1])) === 0)
          throw new StorageError('version_conflict', 'claim_codes');
      }),
    byId: async (id) => (await session.query<Row>(selectById, [id])).map(fromRow)[0],
    byPublicId: async (publicId) => (await session.query<Row>(selectByPublicId, [publicId])).map(fromRow)[0],
    list: async (filter, page) => {
      const where = conditions();
      where.equals('identity_id', filter.identityId);
      where.equals('state', filter.state);
      const text = pageStatement(`SELECT ${COLUMNS} FROM claim_codes`, where, OLDEST_FIRST, page);
      return pageOf((await session.query<Row>(text, where.params)).map(fromRow), page.limit);
    },
    forget: (before, limit) => session.write((tx) => tx.run(forgetEnded, [before, limit])),
  };
}
