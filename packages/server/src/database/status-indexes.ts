import type { StatusIndexStore } from '../storage/status-indexes.ts';
import { type Session, statement } from './database.ts';

/** Holds the head's row until the transaction ends, so that nobody else allots to the same credential meanwhile. */
const lockHead = statement(
  'status_index_head_lock',
  'UPDATE status_index_head SET next = next RETURNING next',
);
const moveHead = statement('status_index_head_move', 'UPDATE status_index_head SET next = next + 1');
const selectHead = statement('status_index_head', 'SELECT next FROM status_index_head');
const LIVE = "c.state = 'active' AND i.state = 'active'";
const selectLive = statement(
  'status_indexes_live_of',
  `SELECT s.idx FROM status_indexes s JOIN credentials c ON c.id = s.credential_id
   JOIN identities i ON i.id = c.identity_id WHERE s.credential_id = $1 AND s.ended_at IS NULL AND ${LIVE}`,
);
const insertIndex = statement(
  'status_indexes_insert',
  `INSERT INTO status_indexes (idx, credential_id)
   SELECT h.next, c.id FROM status_index_head h, credentials c JOIN identities i ON i.id = c.identity_id
   WHERE c.id = $1 AND ${LIVE}`,
);
const endOfCredential = statement(
  'status_indexes_end_credential',
  'UPDATE status_indexes SET ended_at = $2 WHERE credential_id = $1 AND ended_at IS NULL',
);
const endOfIdentity = statement(
  'status_indexes_end_identity',
  `UPDATE status_indexes SET ended_at = $2 WHERE ended_at IS NULL AND credential_id IN
     (SELECT c.id FROM credentials c JOIN identities i ON i.id = c.identity_id WHERE i.client_id = $1)`,
);
const selectValid = statement(
  'status_indexes_valid',
  `SELECT s.idx FROM status_indexes s JOIN credentials c ON c.id = s.credential_id
   JOIN identities i ON i.id = c.identity_id
   WHERE s.idx >= $1 AND s.idx < $2 AND s.ended_at IS NULL AND ${LIVE} AND c.expires_at > $3 AND i.expires_at > $3
   ORDER BY s.idx`,
);
const SWEEP = 10_000;
const sweepEnded = statement(
  'status_indexes_sweep',
  `DELETE FROM status_indexes WHERE idx IN
     (SELECT s.idx FROM status_indexes s JOIN credentials c ON c.id = s.credential_id
      WHERE s.ended_at < $1 OR (c.state IN ('revoked', 'expired') AND c.updated_at < $1)
      ORDER BY s.idx LIMIT ${SWEEP})`,
);

export function statusIndexStore(session: Session): StatusIndexStore {
  return {
    allot: async (credentialId) => {
      const [known] = await session.query<{ idx: number }>(selectLive, [credentialId]);
      if (known !== undefined) return known.idx;
      return await session.write(async (tx) => {
        const [head] = await tx.query<{ next: number }>(lockHead);
        if (head === undefined) throw new Error('status_index_head has lost its row');
        const [meanwhile] = await tx.query<{ idx: number }>(selectLive, [credentialId]);
        if (meanwhile !== undefined) return meanwhile.idx;
        if ((await tx.run(insertIndex, [credentialId])) === 0) return undefined;
        await tx.run(moveHead);
        return head.next;
      });
    },
    end: (target, at) =>
      session.write(async (tx) => {
        if ('credential' in target) await tx.run(endOfCredential, [target.credential, at]);
        else await tx.run(endOfIdentity, [target.identity, at]);
      }),
    valid: async (first, end, now) =>
      (await session.query<{ idx: number }>(selectValid, [first, end, now])).map(({ idx }) => idx),
    head: async () => (await session.query<{ next: number }>(selectHead))[0]?.next ?? 0,
    sweep: (before) => session.run(sweepEnded, [before]),
  };
}
