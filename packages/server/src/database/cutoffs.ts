import type { CutoffKind, CutoffRecord, CutoffStore } from '../storage/cutoffs.ts';
import { type Session, statement } from './database.ts';

interface CutoffRow {
  cursor: number;
  id: string;
  kind: string;
  target: string;
  not_before: number;
  reason: string;
  ordered_by: string;
  created_at: number;
}

const COLUMNS = 'cursor, id, kind, target, not_before, reason, ordered_by, created_at';

/** Holds the head's row until the transaction ends: whoever has the next cursor commits after this one. */
const nextCursor = statement(
  'cutoffs_next_cursor',
  'UPDATE cutoff_head SET cursor = cursor + 1 RETURNING cursor',
);
const insertCutoff = statement(
  'cutoffs_insert',
  `INSERT INTO cutoffs (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
);
const selectAfter = statement(
  'cutoffs_after',
  `SELECT ${COLUMNS} FROM cutoffs WHERE cursor > $1 ORDER BY cursor LIMIT $2`,
);
const selectById = statement('cutoffs_by_id', `SELECT ${COLUMNS} FROM cutoffs WHERE id = $1`);
const selectOfTarget = statement(
  'cutoffs_of_target',
  `SELECT ${COLUMNS} FROM cutoffs WHERE kind = $1 AND target = $2 AND not_before >= $3 ORDER BY cursor LIMIT $4`,
);
const SWEEP = 10_000;
const deleteTokens = statement(
  'cutoffs_sweep_tokens',
  `DELETE FROM cutoffs WHERE cursor IN
   (SELECT cursor FROM cutoffs WHERE kind = 'token' AND not_before < $1 ORDER BY cursor LIMIT ${SWEEP})`,
);
const selectHead = statement('cutoffs_head', 'SELECT cursor FROM cutoff_head');

function fromRow(row: CutoffRow): CutoffRecord {
  return {
    cursor: row.cursor,
    id: row.id,
    kind: row.kind as CutoffKind,
    target: row.target,
    notBefore: row.not_before,
    reason: row.reason,
    orderedBy: row.ordered_by,
    createdAt: row.created_at,
  };
}

export function cutoffStore(session: Session): CutoffStore {
  return {
    append: (record) =>
      session.write(async (tx) => {
        const [head] = await tx.query<{ cursor: number }>(nextCursor);
        if (head === undefined) throw new Error('cutoff_head has lost its row');
        const { id, kind, target, notBefore, reason, orderedBy, createdAt } = record;
        const { cursor } = head;
        await tx.run(insertCutoff, [cursor, id, kind, target, notBefore, reason, orderedBy, createdAt]);
        tx.changed({ kind: 'cutoffs' });
        return { cursor, id, kind, target, notBefore, reason, orderedBy, createdAt };
      }),
    after: async (cursor, limit) =>
      (await session.query<CutoffRow>(selectAfter, [cursor, limit])).map(fromRow),
    byId: async (id) => (await session.query<CutoffRow>(selectById, [id])).map(fromRow)[0],
    ofTarget: async ({ kind, target }, issuedAt, limit) =>
      (await session.query<CutoffRow>(selectOfTarget, [kind, target, issuedAt, limit])).map(fromRow),
    sweepTokens: (before) => session.write((tx) => tx.run(deleteTokens, [before])),
    head: async () => (await session.query<{ cursor: number }>(selectHead))[0]?.cursor ?? 0,
  };
}
