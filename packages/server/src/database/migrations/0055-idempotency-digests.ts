import type { Dialect } from '../database.ts';

/**
 * Idempotency keys are kept as keyed digests. Those that were kept as sent go at once, and are overwritten: what their digest is
 * keyed with is outside the database, and none of them would have lived longer than a day.
 */
export function idempotencyDigests(dialect: Dialect): readonly string[] {
  if (dialect === 'postgres') return ['TRUNCATE idempotency'];
  return ['PRAGMA secure_delete = ON', 'DELETE FROM idempotency', 'PRAGMA secure_delete = OFF'];
}
