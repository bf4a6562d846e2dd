import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';

/** Lets others work in between: what a job does in the background is never what a caller waits for. */
export interface Pacer {
  /** Called between two small pieces of work. */
  breathe(signal: AbortSignal): Promise<void>;
}

/** The same for what a caller waits for, whom pauses would cost: the event loop turns, and the work goes on. */
export type GiveWay = () => Promise<void>;

/** Milliseconds of work after which there is a pause or a turn. */
const SLICE_MS = 4;
/** Milliseconds of one transaction of many: long enough that it is not the syncs that take the time. */
const SHIFT_MS = 10;

/** How much of a processor a job may take. */
export interface Pace {
  /** How long a pause is, measured in what was worked. */
  readonly pauses: number;
  /** Milliseconds of the longest pause. */
  readonly longestMs: number;
}

/** Two thirds of a processor: somebody has just changed what it is about, and is waiting to hear. */
export const BRISK: Pace = { pauses: 0.5, longestMs: 25 };
/** A twenty-fifth: nobody waits for it. */
export const CALM: Pace = { pauses: 24, longestMs: 250 };
/** Two fifths of a processor is the most that work takes for which nobody waits. */
const SHORTEST_PAUSES = 1.5;

/** The pace of the next round of work that took `took` milliseconds at this one, and should take `within`: never slower than calm. */
export function paceAfter({ pauses, longestMs }: Pace, took: number, within: number): Pace {
  const wanted = (pauses * within) / Math.max(took, 1);
  return { pauses: Math.min(CALM.pauses, Math.max(SHORTEST_PAUSES, wanted)), longestMs };
}

/**
 * `busy`: milliseconds that the event loop has worked so far, for whomever: the more others have to do, the longer the pauses. What a
 * job waits for is no work.
 */
export function createPacer(
  { pauses, longestMs }: Pace = BRISK,
  busy: () => number = () => performance.eventLoopUtilization().active,
  rest: (ms: number, signal: AbortSignal) => Promise<unknown> = restFor,
): Pacer {
  let since = busy();
  return {
    async breathe(signal) {
      const worked = busy() - since;
      if (worked < SLICE_MS) return;
      await turn();
      if (!signal.aborted) await rest(Math.min(worked * pauses, longestMs), signal);
      since = busy();
    },
  };
}

/** Who is told to stop is not kept by the pause. */
async function restFor(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal }).catch(() => undefined);
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
