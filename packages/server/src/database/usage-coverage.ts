import type { CoverageStore } from '../storage/usage-coverage.ts';
import { type Session, statement } from './database.ts';

interface SpanRow {
  from_at: number;
  to_at: number;
}

const selectTouching = statement(
  'usage_spans_touching',
  `SELECT from_at, to_at FROM usage_spans
   WHERE resource_server_id = $1 AND kind = $2 AND from_at <= $4 AND to_at >= $3 ORDER BY from_at`,
);
const deleteTouching = statement(
  'usage_spans_delete',
  `DELETE FROM usage_spans WHERE resource_server_id = $1 AND kind = $2 AND from_at <= $4 AND to_at >= $3`,
);
const insertSpan = statement(
  'usage_spans_insert',
  'INSERT INTO usage_spans (resource_server_id, kind, from_at, to_at) VALUES ($1, $2, $3, $4)',
);
const deleteOld = statement(
  'usage_spans_sweep',
  `DELETE FROM usage_spans WHERE (resource_server_id, kind, from_at) IN
     (SELECT resource_server_id, kind, from_at FROM usage_spans WHERE to_at < $1 ORDER BY to_at LIMIT 10000)`,
);

export function coverageStore(session: Session): CoverageStore {
  return {
    add: (resourceServerId, kind, { from, to }, gap) =>
      session.write(async (tx) => {
        const near = [resourceServerId, kind, from - gap, to + gap];
        const touching = await tx.query<SpanRow>(selectTouching, near);
        await tx.run(deleteTouching, near);
        const first = Math.min(from, ...touching.map((span) => span.from_at));
        const last = Math.max(to, ...touching.map((span) => span.to_at));
        await tx.run(insertSpan, [resourceServerId, kind, first, last]);
      }),
    spans: async (resourceServerId, kind, { from, to }) =>
      (await session.query<SpanRow>(selectTouching, [resourceServerId, kind, from, to])).map((span) => ({
        from: span.from_at,
        to: span.to_at,
      })),
    sweep: (before) => session.run(deleteOld, [before]),
  };
}
