import type { Clock } from '../../clock.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Job } from './job.ts';

const EVERY_MS = 60_000;
/** What one sweep of `used_once` takes at most. */
const SWEEP = 10_000;

/** Removes what may be forgotten: replay marks and remembered answers that have expired. */
export function sweepExpiredJob(deps: {
  readonly storage: Pick<Storage, 'usedOnce' | 'idempotency'>;
  readonly clock: Clock;
}): Job {
  return {
    name: 'sweep-expired',
    everyMs: EVERY_MS,
    async run(signal) {
      const now = deps.clock.now();
      while (!signal.aborted && (await deps.storage.usedOnce.sweep(now)) >= SWEEP);
      if (!signal.aborted) await deps.storage.idempotency.sweep(now);
    },
  };
}
