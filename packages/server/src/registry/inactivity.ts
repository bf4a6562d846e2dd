import type { Cadence, IdentityRecord } from '../storage/identities.ts';
import type { UseAnswer } from './use/answer.ts';
import { NOTED_EVERY_MS } from './use/credential-uses.ts';

const DAY_MS = 86_400_000;
/** Nobody is judged on less than this. */
const LEAST_WINDOW_MS = 30 * DAY_MS;

const PERIOD_MS: { readonly [cadence in Cadence]: number | undefined } = {
  continuous: DAY_MS,
  daily: DAY_MS,
  weekly: 7 * DAY_MS,
  monthly: 31 * DAY_MS,
  quarterly: 92 * DAY_MS,
  annual: 366 * DAY_MS,
  on_demand: undefined,
};

/** The longest (ms) that one of this cadence may be quiet between two times; undefined: as long as it likes. */
export function period(cadence: Cadence): number | undefined {
  return PERIOD_MS[cadence];
}

/** What is known of the use of an identity as a whole. */
export interface IdentityUse {
  /** When a token was issued on one of its credentials, or a call with one was seen; undefined: never. */
  readonly lastUsedAt: number | undefined;
  /** Since when the authority has been there to see it, without a longer pause; undefined: nobody knows. */
  readonly watchedSince: number | undefined;
}

/** The pause (ms) between two uses that the cadence explains by itself; undefined: any. */
export function usualPause(cadence: Cadence): number | undefined {
  return PERIOD_MS[cadence];
}

/** For how long (ms) it must have been quiet to be inactive: max(30 days, 2 × its cadence). Undefined: it may be for ever. */
export function inactivityWindow(cadence: Cadence): number | undefined {
  const period = PERIOD_MS[cadence];
  return period === undefined ? undefined : Math.max(LEAST_WINDOW_MS, 2 * period);
}

/** Whether it was used lately. `unused` is only said of a whole window in which use would have been seen. */
export function activityOf(
  identity: Pick<IdentityRecord, 'cadence' | 'createdAt' | 'stateSince'>,
  use: IdentityUse,
  now: number,
): UseAnswer {
  const window = inactivityWindow(identity.cadence);
  if (window === undefined) return 'unknown';
  const from = now - window;
  // What is noted may be an hour old.
  if (use.lastUsedAt !== undefined && use.lastUsedAt >= from - NOTED_EVERY_MS) return 'used';
  if (Math.max(identity.createdAt, identity.stateSince) > from) return 'unknown';
  return use.watchedSince === undefined || use.watchedSince > from ? 'unknown' : 'unused';
}

/** Those who are never stopped for being quiet: somebody has to look. */
export function staysWhenInactive({ builtIn, sensitivity }: IdentityRecord): boolean {
  return builtIn || sensitivity === 3;
}
