import type { AuditEvent } from '../../audit/event.ts';
import type { AuditLog } from '../../audit/log.ts';
import type { Clock } from '../../clock.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Job } from './job.ts';

export interface DeliverOutboxDeps {
  readonly storage: Pick<Storage, 'outbox'>;
  readonly log: Pick<AuditLog, 'append' | 'known'>;
  readonly clock: Clock;
}

const BATCH = 500;
const EVERY_MS = 5000;
/** Younger rows belong to a change that is being carried out right now, and that delivers them itself. */
const YOUNGEST_MS = 10_000;

/**
 * Brings events that are written down with their change, created at or before `until`, to the audit log. Each lands
 * there once, however often it is tried. Rejects `AuditUnavailable` when the log refuses; they stay where they are.
 */
export async function deliverOutbox(
  deps: DeliverOutboxDeps,
  until: number,
  signal?: AbortSignal,
): Promise<number> {
  let delivered = 0;
  while (signal?.aborted !== true) {
    const rows = await deps.storage.outbox.pending(until, BATCH);
    if (rows.length === 0) return delivered;
    const ids = rows.map((row) => row.eventId);
    const known = await deps.log.known(ids);
    const missing = rows.filter((row) => !known.has(row.eventId));
    await Promise.all(missing.map((row) => deps.log.append(JSON.parse(row.body) as AuditEvent)));
    await deps.storage.outbox.delete(ids);
    delivered += rows.length;
  }
  return delivered;
}

/** At the start everything, for what died with the last process; then what a failed delivery left behind. */
export function deliverOutboxJob(deps: DeliverOutboxDeps): Job {
  let first = true;
  return {
    name: 'deliver-outbox',
    everyMs: EVERY_MS,
    async run(signal) {
      const now = deps.clock.now();
      await deliverOutbox(deps, first ? now : now - YOUNGEST_MS, signal);
      first = false;
    },
  };
}
