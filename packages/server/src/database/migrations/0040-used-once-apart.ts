import type { Dialect } from '../database.ts';

/**
 * Which proofs were used is in a file of its own beside SQLite: docs/decisions/0049-tokens-wait-for-no-registry.md. On
 * PostgreSQL nothing waits for anything, and the table stays.
 */
export function usedOnceApart(dialect: Dialect): readonly string[] {
  return dialect === 'postgres' ? [] : ['DROP TABLE used_once_batches'];
}
