import { describe, expect, test } from 'vitest';
import { strangersAtTheDoor, type StrangersPlan } from './load/strangers.ts';
import { mayStartServers } from './wire/target.ts';

const MEGABYTE = 1_000_000;

/** Promise 1 for strangers: rightful clients keep at least half their rate, the log stays small, the counts are exact. */
export function describeStrangers(plan: StrangersPlan, withinMs: number, retry = 0): void {
  describe.runIf(mayStartServers())('strangers at the door (needs the countersign command)', () => {
    test(`${plan.refusals.toLocaleString('en')} refusals from 50 sources while rightful clients work`, {
      timeout: withinMs,
      retry,
    }, async () => {
      const report = await strangersAtTheDoor(plan);
      console.log(
        `rightful tokens/s alone ${report.aloneRate.toFixed(0)}, during the attack ${report.attackedRate.toFixed(0)} ` +
          `(${((100 * report.attackedRate) / report.aloneRate).toFixed(0)} %); ` +
          `${report.refusalsPerSecond.toFixed(0)} refusals/s; events ${(report.eventBytes / MEGABYTE).toFixed(1)} MB, ` +
          `disk ${(report.diskBytes / MEGABYTE).toFixed(1)} MB; ${report.verbatim} verbatim + ${report.summarised} counted`,
      );
      expect(report.verbatim + report.summarised, 'every refusal is counted once').toBe(plan.refusals);
      expect(report.attackedRate).toBeGreaterThanOrEqual(report.aloneRate / 2);
      expect(report.eventBytes).toBeLessThan(20 * MEGABYTE);
      expect(report.diskBytes).toBeLessThan(20 * MEGABYTE);
    });
  });
}
