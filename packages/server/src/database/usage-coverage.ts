import type { CoverageStore, SpanKind } from '../storage/usage-coverage.ts';
import { type Session, statement } from './database.ts';

interface SpanRow {
  from_at: number;
  to_at: number;
}

/** The ids are one parameter, a JSON array: the text is the same for any number of them. */
const selectOf = statement('usage_spans_of', {
  sqlite: `SELECT resource_server_id, kind, from_at, to_at FROM usage_spans
    WHERE resource_server_id IN (SELECT value FROM json_each($1)) AND from_at <= $3 AND to_at >= $2
    ORDER BY resource_server_id, kind, from_at`,
  postgres: `SELECT resource_server_id, kind, from_at, to_at FROM usage_spans
    WHERE resource_server_id IN (SELECT json_array_elements_text($1::json)) AND from_at <= $3 AND to_at >= $2
    ORDER BY resource_server_id, kind, from_at`,
});
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
    spans: async (resourceServerIds, { from, to }) => {
      const params = [JSON.stringify(resourceServerIds), from, to];
      const rows = await session.query<SpanRow & { resource_server_id: string; kind: string }>(
        selectOf,
        params,
      );
      return rows.map((row) => ({
        resourceServerId: row.resource_server_id,
        kind: row.kind as SpanKind,
        from: row.from_at,
        to: row.to_at,
      }));
    },
    sweep: (before) => session.run(deleteOld, [before]),
  };
}
