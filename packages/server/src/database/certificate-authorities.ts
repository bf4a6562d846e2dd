import type {
  CertificateAuthorityRecord,
  CertificateAuthorityStore,
} from '../storage/certificate-authorities.ts';
import { StorageError } from '../storage/errors.ts';
import { type Session, type SqlParam, statement } from './database.ts';

interface Row {
  id: string;
  role: string;
  state: string;
  alg: string;
  /** JSON. */
  public_jwk: string;
  request: string | null;
  certificate: string | null;
  above: string;
  sealed_private_key: string | null;
  created_at: number;
  not_after: number | null;
  updated_at: number;
  version: number;
}

const COLUMNS =
  'id, role, state, alg, public_jwk, certificate, above, sealed_private_key, created_at, not_after, updated_at, version, request';

const insertRow = statement(
  'certificate_authorities_insert',
  `INSERT INTO certificate_authorities (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
);
const replaceRow = statement(
  'certificate_authorities_replace',
  `UPDATE certificate_authorities SET state = $3, certificate = $6, above = $7, sealed_private_key = $8, not_after = $10,
     updated_at = $11, version = $12, request = $13
   WHERE id = $1 AND role = $2 AND alg = $4 AND public_jwk = $5 AND created_at = $9 AND version = $14`,
);
const selectAny = statement('certificate_authorities_any', 'SELECT id FROM certificate_authorities LIMIT 1');
const selectLive = statement(
  'certificate_authorities_live',
  `SELECT ${COLUMNS} FROM certificate_authorities WHERE state <> 'retired' ORDER BY created_at, id`,
);
const selectById = statement(
  'certificate_authorities_by_id',
  `SELECT ${COLUMNS} FROM certificate_authorities WHERE id = $1`,
);
// No row is ever deleted: its version is how often it was written.
const selectWrites = statement(
  'certificate_authorities_writes',
  'SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) AS writes FROM certificate_authorities',
);

function toRow(record: CertificateAuthorityRecord): SqlParam[] {
  return [
    record.id,
    record.role,
    record.state,
    record.alg,
    JSON.stringify(record.publicJwk),
    record.certificate,
    record.above,
    record.sealedPrivateKey,
    record.createdAt,
    record.notAfter,
    record.updatedAt,
    record.version,
    record.request,
  ];
}

function fromRow(row: Row): CertificateAuthorityRecord {
  return {
    id: row.id,
    role: row.role as CertificateAuthorityRecord['role'],
    state: row.state as CertificateAuthorityRecord['state'],
    alg: row.alg as CertificateAuthorityRecord['alg'],
    publicJwk: JSON.parse(row.public_jwk) as Record<string, string>,
    request: row.request ?? undefined,
    certificate: row.certificate ?? undefined,
    above: row.above,
    sealedPrivateKey: row.sealed_private_key ?? undefined,
    createdAt: row.created_at,
    notAfter: row.not_after ?? undefined,
    updatedAt: row.updated_at,
    version: row.version,
  };
}

export function certificateAuthorityStore(session: Session): CertificateAuthorityStore {
  return {
    insert: (record) =>
      session.write(async (tx) => {
        await tx.run(insertRow, toRow(record));
        tx.changed({ kind: 'certificate_authorities' });
      }),
    replace: (record) =>
      session.write(async (tx) => {
        const replaced = await tx.run(replaceRow, [...toRow(record), record.version - 1]);
        if (replaced === 0) throw new StorageError('version_conflict', 'certificate_authorities');
        tx.changed({ kind: 'certificate_authorities' });
      }),
    live: async () => (await session.query<Row>(selectLive)).map(fromRow),
    any: async () => (await session.query(selectAny)).length > 0,
    byId: async (id) => (await session.query<Row>(selectById, [id])).map(fromRow)[0],
    writes: async () => (await session.query<{ writes: number }>(selectWrites))[0]?.writes ?? 0,
  };
}
