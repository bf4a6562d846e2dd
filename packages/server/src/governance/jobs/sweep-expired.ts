import type { Clock } from '../../clock.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Job } from './job.ts';

const EVERY_MS = 60_000;
/** What one sweep of `used_once` takes at most. */
const SWEEP = 10_000;

/** Seconds after which an order about one token concerns nobody: no token lives longer than a day, and clocks differ. */
const TOKEN_ORDER_MATTERS_FOR = 86_400 + 600;

/** Removes what may be forgotten: replay marks, remembered answers and orders about single tokens that have expired. */
export function sweepExpiredJob(deps: {
  readonly storage: Pick<Storage, 'usedOnce' | 'idempotency' | 'cutoffs'>;
  readonly clock: Clock;
}): Job {
  return {
    name: 'sweep-expired',
    everyMs: EVERY_MS,
    async run(signal) {
      const now = deps.clock.now();
      while (!signal.aborted && (await deps.storage.usedOnce.sweep(now)) >= SWEEP);
      const before = Math.floor(now / 1000) - TOKEN_ORDER_MATTERS_FOR;
      while (!signal.aborted && (await deps.storage.cutoffs.sweepTokens(before)) >= SWEEP);
      if (!signal.aborted) await deps.storage.idempotency.sweep(now);
    },
  };
}
