import type {
  CredentialMaterial,
  CredentialRecord,
  CredentialState,
  CredentialStore,
} from '../storage/credentials.ts';
import { type Session, type Statement, statement } from './database.ts';
import { conditions, duePage, dueStatement } from './list.ts';
import { type VersionedTable, versionedTable } from './versioned.ts';

interface CredentialRow {
  id: string;
  identity_id: string;
  label: string;
  state: string;
  type: string;
  /** That of a secret, taken out of the material for its unique index. */
  public_id: string | null;
  /** Those of a federated one, taken out of the material for their indexes. */
  trusted_issuer_id: string | null;
  subject_key: string | null;
  /** JSON. */
  material: string;
  not_before_at: number;
  expires_at: number;
  created_at: number;
  updated_at: number;
  version: number;
}

const credentials: VersionedTable<CredentialRecord> = versionedTable<CredentialRecord, CredentialRow>({
  table: 'credentials',
  history: 'credential_history',
  columns: [
    'id',
    'identity_id',
    'label',
    'state',
    'type',
    'public_id',
    'trusted_issuer_id',
    'subject_key',
    'material',
    'not_before_at',
    'expires_at',
    'created_at',
    'updated_at',
    'version',
  ],
  fixed: ['identity_id', 'created_at'],
  toRow: (record) => ({
    id: record.id,
    identity_id: record.identityId,
    label: record.label,
    state: record.state,
    type: record.material.type,
    public_id: 'publicId' in record.material ? record.material.publicId : undefined,
    trusted_issuer_id: record.material.type === 'federated' ? record.material.trustedIssuer : undefined,
    subject_key: 'subjectKey' in record.material ? record.material.subjectKey : undefined,
    material: JSON.stringify(record.material),
    not_before_at: record.notBeforeAt,
    expires_at: record.expiresAt,
    created_at: record.createdAt,
    updated_at: record.updatedAt,
    version: record.version,
  }),
  fromRow: (row) => ({
    id: row.id,
    identityId: row.identity_id,
    label: row.label,
    state: row.state as CredentialState,
    material: JSON.parse(row.material) as CredentialMaterial,
    notBeforeAt: row.not_before_at,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  }),
});

const selectByPublicId = statement(
  'credential_by_public_id',
  `SELECT ${credentials.columns} FROM credentials WHERE public_id = $1`,
);

const selectBySubjectKey = statement(
  'credentials_by_subject_key',
  `SELECT ${credentials.columns} FROM credentials WHERE subject_key = $1
   ORDER BY CASE WHEN state IN ('revoked', 'expired') THEN 1 ELSE 0 END, created_at DESC, id LIMIT 200`,
);

const selectOfIdentity = statement(
  'credentials_of_identity',
  `SELECT ${credentials.columns} FROM credentials WHERE identity_id = $1
   ORDER BY CASE WHEN state IN ('revoked', 'expired') THEN 1 ELSE 0 END, created_at DESC, id LIMIT 1000`,
);

const eraseIn = (table: string): Statement => {
  const own = `identity_id = $1 AND type IN ('client_secret', 'api_key')`;
  const where = table === 'credentials' ? own : `id IN (SELECT id FROM credentials WHERE ${own})`;
  return statement(`${table}_erase`, {
    sqlite: `UPDATE ${table} SET material = json_set(material, '$.digest', '') WHERE ${where}`,
    postgres: `UPDATE ${table} SET material = jsonb_set(material::jsonb, '{digest}', '""')::text WHERE ${where}`,
  });
};
const eraseNow = eraseIn('credentials');
const eraseBefore = eraseIn('credential_history');

const DUE = dueStatement('credentials', 'expires_at', "state IN ('active', 'suspended')");

export function credentialStore(session: Session): CredentialStore {
  return {
    insert: (record) =>
      session.write(async (tx) => {
        await credentials.insert(tx, record);
        tx.changed({ kind: 'identity', identityId: record.identityId });
      }),
    replace: (record) =>
      session.write(async (tx) => {
        await credentials.replace(tx, record);
        tx.changed({ kind: 'identity', identityId: record.identityId });
      }),
    byId: (id) => credentials.byId(session, id),
    asOf: (id, at) => credentials.asOf(session, id, at),
    byPublicId: async (publicId) => (await credentials.select(session, selectByPublicId, [publicId]))[0],
    bySubjectKey: (subjectKey) => credentials.select(session, selectBySubjectKey, [subjectKey]),
    ofIdentity: (identityId) => credentials.select(session, selectOfIdentity, [identityId]),
    list: async (filter, page) => {
      const where = conditions();
      where.equals('identity_id', filter.identityId);
      where.equals('type', filter.type);
      where.equals('trusted_issuer_id', filter.trustedIssuerId);
      where.equals('state', filter.state);
      if (filter.expiresBefore !== undefined) where.add(`expires_at < ${where.param(filter.expiresBefore)}`);
      return await credentials.list(session, where, page);
    },
    due: (until, page) => duePage(session, DUE, until, page),
    erase: (identityId) =>
      session.write(async (tx) => {
        await tx.run(eraseNow, [identityId]);
        await tx.run(eraseBefore, [identityId]);
        tx.changed({ kind: 'identity', identityId });
      }),
  };
}
