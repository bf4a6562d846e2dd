import type { RandomBytes } from '../../ids.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** For so long something is tried; then it is given up. */
export const TRIED_FOR_MS: number = 72 * HOUR_MS;

/** After the first attempt that failed, the second …; the last holds for all that follow. */
const WAITS_MS = [
  5 * SECOND_MS,
  MINUTE_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
] as const;
/** Of the time that is waited, at random: what failed together does not come again together. */
const JITTER = 0.2;

/** How long to wait after so many attempts that failed, from 1 on. */
export function waitAfter(failures: number, random: RandomBytes): number {
  const at = Math.min(failures, WAITS_MS.length) - 1;
  const wait = WAITS_MS[at] ?? WAITS_MS[0];
  return Math.round(wait * (1 + JITTER * ((random(1)[0] as number) / 255)));
}

const LONGEST_HOLD_MS = 30 * MINUTE_MS;

/** How long nothing is sent to a receiver that did not answer so many times: one attempt finds out, not all that wait. */
export function holdAfter(failures: number, random: RandomBytes): number {
  return Math.min(waitAfter(failures, random), LONGEST_HOLD_MS);
}
