import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';

/** Lets others work in between: what a job does in the background is never what a caller waits for. */
export interface Pacer {
  /** Called between two small pieces of work. */
  breathe(signal: AbortSignal): Promise<void>;
}

/** Milliseconds of work after which there is a pause, and the longest pause. */
const SLICE_MS = 4;
const LONGEST_MS = 25;
/** How long the pause is, measured in what was worked. */
const PAUSE_SHARE = 0.5;

/**
 * `busy`: milliseconds that the event loop has worked so far, for whomever: the more others have to do, the longer the pauses. What a
 * job waits for is no work.
 */
export function createPacer(
  busy: () => number = () => performance.eventLoopUtilization().active,
  rest: (ms: number) => Promise<unknown> = (ms) => pause(ms),
): Pacer {
  let since = busy();
  return {
    async breathe(signal) {
      const worked = busy() - since;
      if (worked < SLICE_MS) return;
      await turn();
      if (!signal.aborted) await rest(Math.min(worked * PAUSE_SHARE, LONGEST_MS));
      since = busy();
    },
  };
}
