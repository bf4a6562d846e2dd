// Trying again: RFC 9110 §10.2.3 (Retry-After) and pauses that grow.
import { setTimeout as sleep } from 'node:timers/promises';
import { TokenError } from './errors.ts';

const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5000;
/** A longer Retry-After is left to the caller. */
const LONGEST_RETRY_AFTER = 30;

export interface RetryDeps {
  /** From 0 to 1. */
  readonly fraction: () => number;
  readonly signal: AbortSignal;
}

/** Runs `attempt` until it succeeds, fails for good, or has failed four times. */
export async function withRetries<T>(attempt: () => Promise<T>, { fraction, signal }: RetryDeps): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TokenError) || tries === ATTEMPTS) throw error;
      if (error.code !== 'unavailable' && error.code !== 'unreachable') throw error;
      if ((error.retryAfter ?? 0) > LONGEST_RETRY_AFTER) throw error;
      const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (tries - 1)) * (0.5 + fraction() / 2);
      await sleep(Math.max(pause, (error.retryAfter ?? 0) * 1000), undefined, { signal }).catch(
        () => undefined,
      );
      if (signal.aborted) throw error;
    }
  }
}

/** Seconds from a Retry-After value, which is a number of them or a date; `undefined` when it is neither. */
export function retryAfterSeconds(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value);
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil(at / 1000 - now));
}
