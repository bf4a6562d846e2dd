import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';

/** Lets others work in between: what a job does in the background is never what a caller waits for. */
export interface Pacer {
  /** Called between two small pieces of work. */
  breathe(signal: AbortSignal): Promise<void>;
}

/** The same for what a caller waits for, whom pauses would cost: the event loop turns, and the work goes on. */
export type GiveWay = () => Promise<void>;

/** Milliseconds of work after which there is a pause or a turn, and the longest pause. */
const SLICE_MS = 4;
const LONGEST_MS = 25;
/** Milliseconds of one transaction of many: long enough that it is not the syncs that take the time. */
const SHIFT_MS = 10;
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

/** `busy` as above. */
export function createGiveWay(
  busy: () => number = () => performance.eventLoopUtilization().active,
  next: () => Promise<unknown> = turn,
): GiveWay {
  let since = busy();
  return async () => {
    if (busy() - since < SLICE_MS) return;
    await next();
    since = busy();
  };
}

/**
 * Whether the work of one transaction has lasted long enough for another one to go on with the rest: who else writes waits
 * for its end. The event loop does not turn in it, for that would make them wait longer.
 */
export function createShift(clock: () => number = () => performance.now()): () => boolean {
  const start = clock();
  return () => clock() - start >= SHIFT_MS;
}
