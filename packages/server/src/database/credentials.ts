import type {
  CredentialMaterial,
  CredentialRecord,
  CredentialState,
  CredentialStore,
  EndingCredential,
  Predecessor,
} from '../storage/credentials.ts';
import type { Due } from '../storage/page.ts';
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
  predecessor_id: string | null;
  predecessor_by: string | null;
  successor_id: string | null;
  successor_since: number | null;
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
    'predecessor_id',
    'predecessor_by',
    'successor_id',
    'successor_since',
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
    predecessor_id: record.predecessor?.id,
    predecessor_by: record.predecessor?.by,
    successor_id: record.successor?.id,
    successor_since: record.successor?.since,
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
    ...placesOf(row),
    notBeforeAt: row.not_before_at,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  }),
});

/** Absent where there is none: most credentials were never rotated. */
function placesOf(row: CredentialRow): Pick<CredentialRecord, 'predecessor' | 'successor'> {
  return {
    ...(row.predecessor_id === null
      ? {}
      : { predecessor: { id: row.predecessor_id, by: row.predecessor_by as Predecessor['by'] } }),
    ...(row.successor_id === null || row.successor_since === null
      ? {}
      : { successor: { id: row.successor_id, since: row.successor_since } }),
  };
}

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

const selectSucceeding = statement(
  'credentials_succeeding',
  `SELECT ${credentials.columns} FROM credentials WHERE predecessor_id = $1
   ORDER BY created_at DESC, id LIMIT 100`,
);

/** From the identity's own credentials to the version of then of each: no index of versions by identity is needed for it. */
const selectUsableAsOf = statement(
  'credentials_usable_as_of',
  `SELECT ${credentials.columns
    .split(', ')
    .map((column) => `h.${column}`)
    .join(', ')}
   FROM credentials c JOIN credential_history h ON h.id = c.id
   WHERE c.identity_id = $1 AND c.created_at <= $2 AND h.valid_from <= $2 AND h.valid_to > $2
     AND h.state = 'active' AND h.not_before_at <= $2 AND h.expires_at > $2
   ORDER BY c.created_at DESC, c.id LIMIT 1`,
);

const BY_ID = `SELECT ${credentials.columns} FROM credentials WHERE id = $1`;
const holdById = statement('credentials_hold', { sqlite: BY_ID, postgres: `${BY_ID} FOR UPDATE` });

const HEIRS = statement(
  'credentials_heirs',
  `WITH RECURSIVE heirs(id) AS (
     SELECT id FROM credentials WHERE predecessor_id = $1 AND ($3 = '' OR predecessor_by = $3)
     UNION
     SELECT c.id FROM heirs h JOIN credentials c ON c.predecessor_id = h.id
     WHERE $3 = '' OR c.predecessor_by = $3)
   SELECT c.id AS id FROM heirs h JOIN credentials c ON c.id = h.id
   WHERE c.state NOT IN ('revoked', 'expired') OR c.updated_at > $2
   ORDER BY c.created_at, c.id`,
);

const ROTATING = statement(
  'credentials_rotating',
  `SELECT id, successor_since AS at FROM credentials
   WHERE successor_since IS NOT NULL AND state IN ('active', 'suspended')
     AND (successor_since, id) > ($1, $2)
   ORDER BY successor_since, id LIMIT $3`,
);

const ENDING_SOON = statement(
  'credentials_ending_soon',
  `SELECT id, expires_at AS at, created_at FROM credentials c
   WHERE state = 'active' AND expires_at > $1 AND expires_at <= $2 AND (expires_at, id) > ($4, $5)
     AND NOT EXISTS (SELECT 1 FROM credential_ends_told t
       WHERE t.credential_id = c.id AND t.expires_at = c.expires_at AND t.days <= $3)
     AND NOT EXISTS (SELECT 1 FROM credentials s
       WHERE s.id = c.successor_id AND s.state = 'active' AND s.expires_at > c.expires_at)
   ORDER BY expires_at, id LIMIT $6`,
);
const tellEnd = statement(
  'credential_ends_told_put',
  `INSERT INTO credential_ends_told (credential_id, expires_at, days) VALUES ($1, $2, $3)
   ON CONFLICT (credential_id) DO UPDATE SET expires_at = excluded.expires_at, days = excluded.days
   WHERE credential_ends_told.expires_at <> excluded.expires_at OR credential_ends_told.days > excluded.days`,
);

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
    usableAsOf: async (identityId, at) =>
      (await credentials.select(session, selectUsableAsOf, [identityId, at]))[0],
    hold: async (id) => (await credentials.select(session, holdById, [id]))[0],
    heirs: async (id, since, by) =>
      (await session.query<{ id: string }>(HEIRS, [id, since, by ?? ''])).map((row) => row.id),
    succeeding: (id) => credentials.select(session, selectSucceeding, [id]),
    rotating: ({ limit, after }) => session.query<Due>(ROTATING, [after?.at ?? -1, after?.id ?? '', limit]),
    endingSoon: async ({ after: from, until, days }, { limit, after }) => {
      const position = [after?.at ?? -1, after?.id ?? ''];
      const rows = await session.query<{ id: string; at: number; created_at: number }>(ENDING_SOON, [
        from,
        until,
        days,
        ...position,
        limit,
      ]);
      return rows.map(({ id, at, created_at }): EndingCredential => ({ id, at, createdAt: created_at }));
    },
    tellEnd: async (id, expiresAt, days) => (await session.run(tellEnd, [id, expiresAt, days])) > 0,
    due: (until, page) => duePage(session, DUE, until, page),
    erase: (identityId) =>
      session.write(async (tx) => {
        await tx.run(eraseNow, [identityId]);
        await tx.run(eraseBefore, [identityId]);
        tx.changed({ kind: 'identity', identityId });
      }),
  };
}
