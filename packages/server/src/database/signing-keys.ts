import { StorageError } from '../storage/errors.ts';
import type {
  KeyAlgorithm,
  SigningKeyRecord,
  SigningKeyState,
  SigningKeyStore,
} from '../storage/signing-keys.ts';
import { type Session, type SqlParam, statement } from './database.ts';

interface SigningKeyRow {
  kid: string;
  alg: string;
  state: string;
  /** JSON. */
  public_jwk: string;
  sealed_private_key: string;
  created_at: number;
  active_at: number;
  retiring_at: number | null;
  remove_at: number | null;
  version: number;
}

const COLUMNS =
  'kid, alg, state, public_jwk, sealed_private_key, created_at, active_at, retiring_at, remove_at, version';

/** Keys of a kind have a table of their own: a key of one is found by nobody who looks for one of the other. */
export type KeyTable = 'signing_keys' | 'svid_keys';

function statementsOf(table: KeyTable) {
  return {
    insert: statement(
      `${table}_insert`,
      `INSERT INTO ${table} (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    ),
    replace: statement(
      `${table}_replace`,
      `UPDATE ${table} SET state = $3, public_jwk = $4, sealed_private_key = $5, active_at = $7,
         retiring_at = $8, remove_at = $9, version = $10
       WHERE kid = $1 AND alg = $2 AND created_at = $6 AND version = $11`,
    ),
    live: statement(
      `${table}_live`,
      `SELECT ${COLUMNS} FROM ${table} WHERE state <> 'retired' ORDER BY created_at, kid`,
    ),
    byKid: statement(`${table}_by_kid`, `SELECT ${COLUMNS} FROM ${table} WHERE kid = $1`),
    // No row is ever deleted: its version is how often it was written.
    writes: statement(
      `${table}_writes`,
      `SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) AS writes FROM ${table}`,
    ),
  };
}

const STATEMENTS = { signing_keys: statementsOf('signing_keys'), svid_keys: statementsOf('svid_keys') };

function toRow(record: SigningKeyRecord): SqlParam[] {
  return [
    record.kid,
    record.alg,
    record.state,
    JSON.stringify(record.publicJwk),
    record.sealedPrivateKey,
    record.createdAt,
    record.activeAt,
    record.retiringAt,
    record.removeAt,
    record.version,
  ];
}

function fromRow(row: SigningKeyRow): SigningKeyRecord {
  return {
    kid: row.kid,
    alg: row.alg as KeyAlgorithm,
    state: row.state as SigningKeyState,
    publicJwk: JSON.parse(row.public_jwk) as Record<string, string>,
    sealedPrivateKey: row.sealed_private_key,
    createdAt: row.created_at,
    activeAt: row.active_at,
    retiringAt: row.retiring_at ?? undefined,
    removeAt: row.remove_at ?? undefined,
    version: row.version,
  };
}

export function signingKeyStore(session: Session, table: KeyTable): SigningKeyStore {
  const { insert, replace, live, byKid, writes } = STATEMENTS[table];
  return {
    insert: (record) =>
      session.write(async (tx) => {
        await tx.run(insert, toRow(record));
        tx.changed({ kind: 'signing_keys' });
      }),
    replace: (record) =>
      session.write(async (tx) => {
        const replaced = await tx.run(replace, [...toRow(record), record.version - 1]);
        if (replaced === 0) throw new StorageError('version_conflict', table);
        tx.changed({ kind: 'signing_keys' });
      }),
    live: async () => (await session.query<SigningKeyRow>(live)).map(fromRow),
    byKid: async (kid) => (await session.query<SigningKeyRow>(byKid, [kid])).map(fromRow)[0],
    writes: async () => (await session.query<{ writes: number }>(writes))[0]?.writes ?? 0,
  };
}
