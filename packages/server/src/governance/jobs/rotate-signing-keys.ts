import type { Job } from './job.ts';

const EVERY_MS = 60_000;

/** Lets the schedule of the signing keys take its course. */
export function rotateSigningKeysJob(rotateIfDue: () => Promise<unknown>): Job {
  return {
    name: 'rotate-signing-keys',
    everyMs: EVERY_MS,
    async run() {
      await rotateIfDue();
    },
  };
}
