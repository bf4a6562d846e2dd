import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';

/** Lets others work in between: what a job does in the background is never what a caller waits for. */
export interface Pacer {
  /** Called between two small pieces of work. */
  breathe(signal: AbortSignal): Promise<void>;
}

/** Milliseconds of work after which there is a pause; and how long that is, measured in what was worked. */
const SLICE_MS = 4;
const PAUSE_SHARE = 1;

/** `stopwatch`: milliseconds on a clock that only goes on; not that of the rules. */
export function createPacer(stopwatch: () => number = () => performance.now()): Pacer {
  let since = stopwatch();
  return {
    async breathe(signal) {
      const worked = stopwatch() - since;
      if (worked < SLICE_MS) return;
      await turn();
      if (!signal.aborted) await pause(Math.min(worked, 50) * PAUSE_SHARE);
      since = stopwatch();
    },
  };
}
