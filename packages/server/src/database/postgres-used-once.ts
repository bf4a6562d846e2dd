// Which proofs were used, where several nodes share the database.
import { hash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { UsedOnceStore } from '../storage/used-once.ts';
import { type Session, statement } from './database.ts';
import { UsedOnceShares } from './used-once-shares.ts';

/** One row is changed for the one caller that may use the id, none for all others: the database decides. */
const claimId = statement(
  'used_once_claim',
  `INSERT INTO used_once (namespace, id, expires_at) VALUES ($1, $2, $3)
   ON CONFLICT (namespace, id) DO UPDATE SET expires_at = excluded.expires_at
   WHERE used_once.expires_at < $4`,
);
const sweepExpired = statement(
  'used_once_sweep',
  `DELETE FROM used_once WHERE (namespace, id) IN
     (SELECT namespace, id FROM used_once WHERE expires_at < $1 ORDER BY expires_at LIMIT 10000)`,
);

/** 132 bits of a digest: each is written to disk twice, once in an index. */
const ID_CHARS = 22;

/** `share`: of one holder, counted by each node for itself: to know of the others would cost a read for each token. */
export function postgresUsedOnce(session: Session, clock: Clock, share?: number): UsedOnceStore {
  const shares = new UsedOnceShares(share);
  return {
    async claim(namespace, id, expiresAt, holder) {
      const now = Math.ceil(clock.now() / 1000);
      shares.require(holder, now);
      const digest = hash('sha256', id, 'base64url').slice(0, ID_CHARS);
      if ((await session.run(claimId, [namespace, digest, expiresAt, clock.now()])) !== 1) return false;
      shares.add(holder, Math.ceil(expiresAt / 1000), now);
      return true;
    },
    sweep: (now) => session.run(sweepExpired, [now]),
  };
}
