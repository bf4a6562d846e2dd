import type { Dialect } from '../database.ts';

/**
 * Proofs that were used, many in a row, beside SQLite: docs/decisions/0026-used-proofs-in-memory-and-in-batches.md. On
 * PostgreSQL, where several nodes claim, each keeps a row of its own.
 */
export function usedOnceBatches(dialect: Dialect): readonly string[] {
  if (dialect === 'postgres') return [];
  return [
    `CREATE TABLE used_once_batches (position INTEGER PRIMARY KEY, last_expiry BIGINT NOT NULL, entries TEXT NOT NULL)`,
    'DROP TABLE used_once',
  ];
}
