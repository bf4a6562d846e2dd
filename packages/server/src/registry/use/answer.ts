import type { Span } from '../../storage/usage-coverage.ts';
import { lengthWithin, without } from './spans.ts';

/** `unused` is only said where use could have been seen. */
export type UseAnswer = 'used' | 'unused' | 'unknown';

/** What is known of one resource server: when its copies told what they saw, and when one of them should have. */
export interface Watched {
  readonly seen: readonly Span[];
  readonly missed: readonly Span[];
}

/** Reports come about once a minute: what is younger than this nobody can know. */
export const LAG_MS: number = 5 * 60_000;
/** The share of the time that must have been seen. */
export const ENOUGH: number = 0.95;

/** The share of `window` in which use would have been seen, 0 to 1; the last minutes of it, which nobody knows yet, left out. */
export function coverageOf(window: Span, watched: Watched): number {
  const known = { from: window.from, to: window.to - LAG_MS };
  if (known.to <= known.from) return 0;
  return lengthWithin(without(watched.seen, watched.missed), known) / (known.to - known.from);
}

/**
 * Whether it was used in `window`, whose end is now. Unused takes two things: enough of the window was seen, and the resource
 * server tells what it sees until now, with all of its copies.
 */
export function useIn(window: Span, lastUsedAt: number | undefined, watched: Watched): UseAnswer {
  if (lastUsedAt !== undefined && lastUsedAt >= window.from) return 'used';
  const end = window.to - LAG_MS;
  const tellsNow = without(watched.seen, watched.missed).some(({ from, to }) => from <= end && to >= end);
  return tellsNow && coverageOf(window, watched) >= ENOUGH ? 'unused' : 'unknown';
}
