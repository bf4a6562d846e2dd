import type { Job } from './job.ts';

/** As often as resource servers report: the authority is one, of its own API. */
const EVERY_MS = 60_000;

/** Writes what of the own API was used. */
export function reportOwnUseJob(report: () => Promise<unknown>): Job {
  return {
    name: 'report-own-use',
    everyMs: EVERY_MS,
    async run() {
      await report();
    },
  };
}
