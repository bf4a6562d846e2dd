import type { Clock } from '../../clock.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Job } from './job.ts';

const EVERY_MS = 60_000;
/** What one sweep of `used_once` takes at most. */
const SWEEP = 10_000;

/** Seconds after which an order about one token concerns nobody: no token lives longer than a day, and clocks differ. */
const TOKEN_ORDER_MATTERS_FOR = 86_400 + 600;

const DAY = 86_400_000;
/** Days for which receipts of cut-offs are kept after a verifier was last heard of; those that proved nothing: less. */
const RECEIPTS = { proven: 30, unproven: 2 };
/** Rows of receipts that stay at most: about 100 MB. */
const MOST_RECEIPTS = { mostFollowers: 50_000, mostConfirmations: 500_000 };

export interface ForgetExpiredDeps {
  readonly storage: Pick<
    Storage,
    'usedOnce' | 'idempotency' | 'cutoffs' | 'cutoffReceipts' | 'statusIndexes' | 'certificates'
  >;
  /** Milliseconds for which a certificate is kept after its end. */
  readonly certificateRetention: number;
  readonly clock: Clock;
}

/** Removes what may be forgotten: replay marks, remembered answers, orders about single tokens that have
 * expired, certificates that ended long ago, and receipts of verifiers that are gone. */
export function forgetExpiredJob(deps: ForgetExpiredDeps): Job {
  return {
    name: 'forget-expired',
    everyMs: EVERY_MS,
    async run(signal) {
      const now = deps.clock.now();
      while (!signal.aborted && (await deps.storage.usedOnce.sweep(now)) >= SWEEP);
      const before = Math.floor(now / 1000) - TOKEN_ORDER_MATTERS_FOR;
      while (!signal.aborted && (await deps.storage.cutoffs.sweepTokens(before)) >= SWEEP);
      while (!signal.aborted && (await deps.storage.statusIndexes.sweep(before * 1000)) >= SWEEP);
      const ended = now - deps.certificateRetention;
      while (!signal.aborted && (await deps.storage.certificates.forget(ended, SWEEP)) >= SWEEP);
      if (!signal.aborted) await deps.storage.idempotency.sweep(now);
      if (signal.aborted) return;
      await deps.storage.cutoffReceipts.sweep({
        provenBefore: now - RECEIPTS.proven * DAY,
        unprovenBefore: now - RECEIPTS.unproven * DAY,
        ...MOST_RECEIPTS,
      });
    },
  };
}
