import type { Clock } from '../clock.ts';
import { StorageError } from '../storage/errors.ts';
import type { IdempotencyStore } from '../storage/idempotency.ts';
import { type Session, statement } from './database.ts';

interface IdempotencyRow {
  principal: string;
  idempotency_key: string;
  fingerprint: string;
  status: number;
  response: string;
  expires_at: number;
}

const COLUMNS = 'principal, idempotency_key, fingerprint, status, response, expires_at';

/** An expired answer gives way to the new one. */
const insertAnswer = statement(
  'idempotency_insert',
  `INSERT INTO idempotency (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6)
   ON CONFLICT (principal, idempotency_key) DO UPDATE SET fingerprint = excluded.fingerprint,
     status = excluded.status, response = excluded.response, expires_at = excluded.expires_at
   WHERE idempotency.expires_at <= $7`,
);
const selectAnswer = statement(
  'idempotency_find',
  `SELECT ${COLUMNS} FROM idempotency WHERE principal = $1 AND idempotency_key = $2 AND expires_at > $3`,
);
const sweepExpired = statement('idempotency_sweep', 'DELETE FROM idempotency WHERE expires_at <= $1');

export function idempotencyStore(session: Session, clock: Clock): IdempotencyStore {
  return {
    insert: (record) =>
      session.write(async (tx) => {
        const { principal, key, fingerprint, status, response, expiresAt } = record;
        const params = [principal, key, fingerprint, status, response, expiresAt, clock.now()];
        const inserted = await tx.run(insertAnswer, params);
        if (inserted === 0) throw new StorageError('unique_conflict', 'idempotency_key');
      }),
    find: async (principal, key, now) => {
      const [row] = await session.query<IdempotencyRow>(selectAnswer, [principal, key, now]);
      if (row === undefined) return undefined;
      return {
        principal: row.principal,
        key: row.idempotency_key,
        fingerprint: row.fingerprint,
        status: row.status,
        response: row.response,
        expiresAt: row.expires_at,
      };
    },
    sweep: (now) => session.run(sweepExpired, [now]),
  };
}
