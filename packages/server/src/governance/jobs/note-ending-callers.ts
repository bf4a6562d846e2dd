import type { EndingCallers } from '../../registry/use/ending-callers.ts';
import type { Job } from './job.ts';

const EVERY_MS = 60_000;

/** Writes who called in the name of identities that are being decommissioned. */
export function noteEndingCallersJob(ending: Pick<EndingCallers, 'flush'>): Job {
  return { name: 'note-ending-callers', everyMs: EVERY_MS, run: () => ending.flush() };
}
