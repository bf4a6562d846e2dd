import type { Clock } from '../../clock.ts';
import { KEPT_MS } from '../../registry/use/credential-instances.ts';
import { DAYS_KEPT } from '../../registry/use/day-map.ts';
import { MISSED_FOR_MS } from '../../registry/use/read-use.ts';
import { GAP_MS, REPORTER_KEPT_MS } from '../../registry/use/take-report.ts';
import type { Cadence } from '../../storage/identities.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import type { ReporterRecord } from '../../storage/usage-reporters.ts';
import type { Job } from './job.ts';

const EVERY_MS = 600_000;
const DAY_MS = 86_400_000;
/** What one sweep takes at most. */
const SWEEP = 10_000;

/**
 * Forgets use of which nobody can ask any more, and starts of copies that said nothing for so long that none of their reports
 * would still be taken. What a copy left unseen is kept.
 */
export function forgetUseJob(deps: {
  readonly storage: Pick<
    Storage,
    'transaction' | 'usage' | 'usageReporters' | 'coverage' | 'unregisteredCallers' | 'credentialInstances'
  >;
  readonly clock: Clock;
}): Job {
  const { storage } = deps;
  return {
    name: 'forget-use',
    everyMs: EVERY_MS,
    async run(signal) {
      const now = deps.clock.now();
      for (const reporter of await storage.usageReporters.forgotten(now - REPORTER_KEPT_MS)) {
        if (signal.aborted) return;
        await storage.transaction((stores) => forget(stores, reporter, now));
      }
      const old = now - DAYS_KEPT * DAY_MS;
      while (!signal.aborted && (await storage.usage.sweep(old)) >= SWEEP);
      while (!signal.aborted && (await storage.coverage.sweep(old)) >= SWEEP);
      for (const [cadence, kept] of Object.entries(KEPT_MS) as [Cadence, number][]) {
        while (!signal.aborted && (await storage.credentialInstances.sweep(cadence, now - kept)) >= SWEEP);
      }
      while (!signal.aborted && (await storage.unregisteredCallers.sweep(old)) >= SWEEP);
    },
  };
}

async function forget(
  { usageReporters, coverage }: Pick<Stores, 'usageReporters' | 'coverage'>,
  seen: ReporterRecord,
  now: number,
): Promise<void> {
  await usageReporters.lock(seen.resourceServerId);
  const reporter = await usageReporters.find(seen);
  if (reporter === undefined || reporter.receivedAt >= now - REPORTER_KEPT_MS) return;
  const { resourceServerId, toldUntil, ended } = reporter;
  if (!ended) {
    const span = { from: toldUntil, to: toldUntil + MISSED_FOR_MS };
    await coverage.add(resourceServerId, 'missed', span, GAP_MS);
  }
  await usageReporters.delete(reporter);
}
