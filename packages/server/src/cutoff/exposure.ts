import type { FollowerRecord } from '../storage/cutoff-receipts.ts';

/** Seconds that clocks may differ at a verifier (its `leeway` by default): it believes a page for so much longer. */
const LEEWAY = 5;
/** Seconds for which the authority lets a follower wait at most; one that follows asks again after that. */
const LONGEST_WAIT = 25;

/** Whether it follows at `now` (epoch ms): it was heard of within the time after which it would count itself stale. */
export function isConnected(follower: FollowerRecord, now: number): boolean {
  return now - follower.lastSeenAt <= (Math.min(follower.staleAfter, LONGEST_WAIT) + LEEWAY) * 1000;
}

/**
 * Seconds from `now` (epoch ms) for which a follower may go on taking a token that is cut off now, if not a word reaches
 * it any more: until it counts its feed as stale, and from then on as it has declared. Never longer than tokens live.
 */
export function worstCase(
  follower: Pick<FollowerRecord, 'lastSeenAt' | 'staleAfter' | 'onStale'>,
  now: number,
  longestLife: number,
): number {
  const { lastSeenAt, staleAfter, onStale } = follower;
  const silent = Math.max(0, now - lastSeenAt) / 1000;
  const untilStale = Math.max(0, staleAfter + LEEWAY - silent);
  return Math.ceil(Math.min(longestLife, Math.max(untilStale, afterStale(onStale, staleAfter))));
}

function afterStale(onStale: string, staleAfter: number): number {
  // An answer about a token is kept for as long as the feed may be silent.
  if (onStale === 'introspect') return staleAfter;
  const younger = /^accept_younger_than:([1-9][0-9]{0,5})$/.exec(onStale);
  return younger === null ? 0 : Number(younger[1]);
}
