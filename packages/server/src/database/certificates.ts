import type {
  CertificateFilter,
  CertificateLine,
  CertificateRecord,
  CertificateStore,
  DoubtfulCertificate,
} from '../storage/certificates.ts';
import type { DecommissionPlan } from '../storage/identities.ts';
import { StorageError } from '../storage/errors.ts';
import { type Session, type SqlParam, type Statement, statement } from './database.ts';
import { conditions, OLDEST_FIRST, pageOf, pageStatement } from './list.ts';

interface Row {
  id: string;
  serial_number: string;
  identity_id: string;
  credential_id: string;
  authority_id: string;
  subject_key: string;
  thumbprint: string;
  certificate: string;
  issued_by: string;
  renewed_from: string | null;
  not_before: number;
  not_after: number;
  revoked_at: number | null;
  revoked_reason: string | null;
  created_at: number;
  updated_at: number;
  version: number;
}

const COLUMNS =
  'id, serial_number, identity_id, credential_id, authority_id, subject_key, thumbprint, certificate, issued_by, renewed_from, not_before, not_after, revoked_at, revoked_reason, created_at, updated_at, version';

const insertRow = statement(
  'certificates_insert',
  `INSERT INTO certificates (${COLUMNS}, line_ends_at)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
     (SELECT MAX(ends_at) FROM (SELECT $12 AS ends_at UNION ALL SELECT line_ends_at FROM certificates WHERE id = $10) AS line))`,
);
const replaceRow = statement(
  'certificates_replace',
  `UPDATE certificates SET revoked_at = $2, revoked_reason = $3, updated_at = $4, version = $5
   WHERE id = $1 AND version = $6`,
);
const selectById = statement('certificates_by_id', `SELECT ${COLUMNS} FROM certificates WHERE id = $1`);
const selectByKey = statement(
  'certificates_by_subject_key',
  `SELECT ${COLUMNS} FROM certificates WHERE subject_key = $1 ORDER BY created_at DESC LIMIT 200`,
);
const selectDoubtful = statement(
  'certificates_doubtful',
  `SELECT c.serial_number, c.revoked_at, c.revoked_reason, k.state AS credential_state,
     k.updated_at AS credential_updated_at, c.identity_id, i.state AS identity_state, i.state_since,
     i.decommissioning, i.security_stop
   FROM certificates c JOIN credentials k ON k.id = c.credential_id JOIN identities i ON i.id = c.identity_id
   WHERE c.authority_id = $1 AND c.not_after >= $2
     AND (c.revoked_at IS NOT NULL OR k.state <> 'active' OR i.state <> 'active')
   ORDER BY c.serial_number LIMIT $3`,
);
/** `whose`: those that the line begins with. */
function descendantsOf(name: string, whose: string): Statement {
  return statement(
    name,
    `WITH RECURSIVE line(id) AS (
       SELECT id FROM certificates WHERE renewed_from IN (SELECT id FROM certificates WHERE ${whose})
         OR (renewed_from IS NULL AND issued_by = 'itself'
           AND identity_id IN (SELECT identity_id FROM certificates WHERE ${whose})
           AND created_at >= (SELECT MIN(created_at) FROM certificates WHERE ${whose}))
       UNION
       SELECT c.id FROM line l JOIN certificates c ON c.renewed_from = l.id)
     SELECT ${COLUMNS.split(', ')
       .map((column) => `c.${column} AS ${column}`)
       .join(', ')}
     FROM line l JOIN certificates c ON c.id = l.id JOIN credentials k ON k.id = c.credential_id
     WHERE c.revoked_at IS NULL AND c.not_after >= $2 AND c.id <> $1 AND c.credential_id <> $1
       AND k.state NOT IN ('revoked', 'expired')
     ORDER BY c.created_at, c.id LIMIT $3`,
  );
}
const descendantsOfOne = descendantsOf('certificates_descendants', 'id = $1');
const descendantsOfAll = descendantsOf('certificates_descendants_of_credential', 'credential_id = $1');
const forgetEnded = statement(
  'certificates_forget',
  'DELETE FROM certificates WHERE id IN (SELECT id FROM certificates WHERE line_ends_at < $1 ORDER BY line_ends_at LIMIT $2)',
);

interface DoubtfulRow {
  serial_number: string;
  revoked_at: number | null;
  revoked_reason: string | null;
  credential_state: string;
  credential_updated_at: number;
  identity_id: string;
  identity_state: string;
  state_since: number;
  /** JSON. */
  decommissioning: string | null;
  security_stop: number;
}

function toRow(record: CertificateRecord): SqlParam[] {
  return [
    record.id,
    record.serialNumber,
    record.identityId,
    record.credentialId,
    record.authorityId,
    record.subjectKey,
    record.thumbprint,
    record.certificate,
    record.issuedBy,
    record.renewedFrom,
    record.notBefore,
    record.notAfter,
    record.revoked?.at,
    record.revoked?.reason,
    record.createdAt,
    record.updatedAt,
    record.version,
  ];
}

function revokedOf(row: Pick<Row, 'revoked_at' | 'revoked_reason'>): CertificateRecord['revoked'] {
  if (row.revoked_at === null) return undefined;
  return {
    at: row.revoked_at,
    reason: row.revoked_reason as NonNullable<CertificateRecord['revoked']>['reason'],
  };
}

function fromRow(row: Row): CertificateRecord {
  return {
    id: row.id,
    serialNumber: row.serial_number,
    identityId: row.identity_id,
    credentialId: row.credential_id,
    authorityId: row.authority_id,
    subjectKey: row.subject_key,
    thumbprint: row.thumbprint,
    certificate: row.certificate,
    issuedBy: row.issued_by as CertificateRecord['issuedBy'],
    renewedFrom: row.renewed_from ?? undefined,
    notBefore: row.not_before,
    notAfter: row.not_after,
    revoked: revokedOf(row),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  };
}

function doubtfulOf(row: DoubtfulRow): DoubtfulCertificate {
  return {
    serialNumber: row.serial_number,
    revoked: revokedOf(row),
    credentialState: row.credential_state,
    credentialUpdatedAt: row.credential_updated_at,
    identityId: row.identity_id,
    identityState: row.identity_state,
    identityStateSince: row.state_since,
    identityStopAt: stopOf(row),
  };
}

/** One that was decommissioned before there were plans was stopped at once; so is one that is cut off. */
function stopOf(row: DoubtfulRow): number | undefined {
  if (row.identity_state !== 'decommissioning') return undefined;
  if (row.decommissioning === null || row.security_stop === 1) return row.state_since;
  return (JSON.parse(row.decommissioning) as DecommissionPlan).stopAt;
}

function whereOf(filter: CertificateFilter): ReturnType<typeof conditions> {
  const where = conditions();
  where.equals('identity_id', filter.identityId);
  where.equals('credential_id', filter.credentialId);
  where.equals('serial_number', filter.serialNumber);
  if (filter.expiresBefore !== undefined) where.add(`not_after < ${where.param(filter.expiresBefore)}`);
  return where;
}

export function certificateStore(session: Session): CertificateStore {
  return {
    insert: (record) => session.write((tx) => tx.run(insertRow, toRow(record)).then(() => undefined)),
    replace: (record) =>
      session.write(async (tx) => {
        const { id, revoked, updatedAt, version, identityId } = record;
        const params = [id, revoked?.at, revoked?.reason, updatedAt, version, version - 1];
        if ((await tx.run(replaceRow, params)) === 0)
          throw new StorageError('version_conflict', 'certificates');
        tx.changed({ kind: 'identity', identityId });
      }),
    byId: async (id) => (await session.query<Row>(selectById, [id])).map(fromRow)[0],
    bySubjectKey: async (key) => (await session.query<Row>(selectByKey, [key])).map(fromRow),
    list: async (filter, page) => {
      const where = whereOf(filter);
      const text = pageStatement(`SELECT ${COLUMNS} FROM certificates`, where, OLDEST_FIRST, page);
      return pageOf((await session.query<Row>(text, where.params)).map(fromRow), page.limit);
    },
    doubtful: async (authorityId, since, limit) =>
      (await session.query<DoubtfulRow>(selectDoubtful, [authorityId, since, limit])).map(doubtfulOf),
    descendants: async (of: CertificateLine, now, limit) => {
      const [text, id] =
        'certificateId' in of ? [descendantsOfOne, of.certificateId] : [descendantsOfAll, of.credentialId];
      return (await session.query<Row>(text, [id, now, limit])).map(fromRow);
    },
    forget: (before, limit) => session.write((tx) => tx.run(forgetEnded, [before, limit])),
  };
}
