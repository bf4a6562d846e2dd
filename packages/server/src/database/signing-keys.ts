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

const insertKey = statement(
  'signing_keys_insert',
  `INSERT INTO signing_keys (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
);
const replaceKey = statement(
  'signing_keys_replace',
  `UPDATE signing_keys SET state = $3, public_jwk = $4, sealed_private_key = $5, active_at = $7,
     retiring_at = $8, remove_at = $9, version = $10
   WHERE kid = $1 AND alg = $2 AND created_at = $6 AND version = $11`,
);
const selectLive = statement(
  'signing_keys_live',
  `SELECT ${COLUMNS} FROM signing_keys WHERE state <> 'retired' ORDER BY created_at, kid`,
);
const selectByKid = statement('signing_keys_by_kid', `SELECT ${COLUMNS} FROM signing_keys WHERE kid = $1`);

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

export function signingKeyStore(session: Session): SigningKeyStore {
  return {
    insert: (record) =>
      session.write(async (tx) => {
        await tx.run(insertKey, toRow(record));
        tx.changed({ kind: 'signing_keys' });
      }),
    replace: (record) =>
      session.write(async (tx) => {
        const replaced = await tx.run(replaceKey, [...toRow(record), record.version - 1]);
        if (replaced === 0) throw new StorageError('version_conflict', 'signing_keys');
        tx.changed({ kind: 'signing_keys' });
      }),
    live: async () => (await session.query<SigningKeyRow>(selectLive)).map(fromRow),
    byKid: async (kid) => (await session.query<SigningKeyRow>(selectByKid, [kid])).map(fromRow)[0],
  };
}
