/** Time is an argument everywhere: tests travel in it, and one clock decides for the whole process. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** Epoch seconds, floored: `iat` must never lie in the future (some validators allow no leeway). */
export function epochSeconds(clock: Clock): number {
  return Math.floor(clock.now() / 1000);
}
