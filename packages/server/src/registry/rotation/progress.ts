import type { CredentialInstance } from '../../storage/credential-instances.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import type { Cadence, IdentityRecord } from '../../storage/identities.ts';
import { OTHERS, SEEN_EVERY_MS, WRITTEN_EVERY_MS } from '../use/credential-instances.ts';
import { period } from '../inactivity.ts';

/** How far a rotation is: who was seen with the old one, and since then with the new one. Pure. */

export interface RotationFacts {
  readonly identity: Pick<IdentityRecord, 'cadence'>;
  readonly old: CredentialRecord;
  /** Undefined: there is none that works. */
  readonly successor: CredentialRecord | undefined;
  readonly seenWithOld: readonly CredentialInstance[];
  readonly seenWithNew: readonly CredentialInstance[];
  /** Since when (epoch ms) use has been seen; undefined: nobody knows. */
  readonly seenSince: number | undefined;
  /** Seconds that a token may live at most. */
  readonly longestToken: number;
}

export interface InstanceProgress {
  /** Empty: it does not say which copy it is. */
  readonly instance: string;
  /** `unknown`: whoever that is cannot be told from others, or it goes on using both; it counts as moved once none of them is seen for a window. */
  readonly state: 'moved' | 'waiting' | 'unknown';
  readonly source: string;
  readonly firstSeen: number;
  readonly lastWithOld: number;
  readonly lastWithNew: number | undefined;
}

export interface RotationProgress {
  /**
   * `moving`: somebody has still to move, or to be seen for long enough. `ready`: the old one can go. `over`: it is gone.
   * `broken`: nothing that works takes its place.
   */
  readonly state: 'moving' | 'ready' | 'over' | 'broken';
  /** Milliseconds: whoever was not seen with the old one for this long does not count. Undefined: there is no such time. */
  readonly window: number | undefined;
  /** Those seen with the old one within the window, the latest first. */
  readonly instances: readonly InstanceProgress[];
  /** Somebody was seen with the successor. */
  readonly successorUsed: boolean;
  /** Until then (epoch ms) too little was seen to say that nobody else uses the old one; undefined: nobody can say. */
  readonly unseenUntil: number | undefined;
  /** From then on (epoch ms) no token is left that was issued on the old one, if nobody uses it again. */
  readonly quietFrom: number;
}

/** How much older than the use itself what is known of it may be. */
const NOTED_LATE_MS = SEEN_EVERY_MS.rotating + WRITTEN_EVERY_MS;

/** Twice the longest that one of this cadence may be quiet between two times: it would have been seen. */
export function rotationWindow(cadence: Cadence): number | undefined {
  const longest = period(cadence);
  return longest === undefined ? undefined : 2 * longest;
}

export function rotationProgress(facts: RotationFacts, now: number): RotationProgress {
  const { old, successor, seenWithOld, seenWithNew, seenSince, longestToken } = facts;
  const window = rotationWindow(facts.identity.cadence);
  const withNew = new Map(seenWithNew.map((each) => [each.instance, each]));
  const instances = seenWithOld
    .filter(({ lastAt }) => window === undefined || lastAt > now - window)
    .map((each) => progressOf(each, withNew.get(each.instance)));
  const lastUse = Math.max(old.successor?.since ?? 0, ...seenWithOld.map(({ lastAt }) => lastAt));
  const unseenUntil =
    seenSince === undefined || window === undefined
      ? undefined
      : seenSince <= old.createdAt
        ? old.createdAt
        : seenSince + window;
  const found = {
    window,
    instances,
    successorUsed: seenWithNew.length > 0,
    unseenUntil,
    // What was noted last may be older than the last use.
    quietFrom: lastUse + longestToken * 1000 + 2 * NOTED_LATE_MS,
  };
  return { ...found, state: stateOf(old, successor, found, now) };
}

function stateOf(
  old: CredentialRecord,
  successor: CredentialRecord | undefined,
  { instances, successorUsed, unseenUntil, quietFrom }: Omit<RotationProgress, 'state'>,
  now: number,
): RotationProgress['state'] {
  if (old.state === 'revoked' || old.state === 'expired' || old.expiresAt <= now) return 'over';
  if (successor === undefined) return 'broken';
  const everybodyMoved = successorUsed && instances.every(({ state }) => state === 'moved');
  const enoughSeen = unseenUntil !== undefined && unseenUntil <= now;
  return everybodyMoved && enoughSeen && quietFrom <= now ? 'ready' : 'moving';
}

function progressOf(old: CredentialInstance, withNew: CredentialInstance | undefined): InstanceProgress {
  const { instance, firstAt, lastAt } = old;
  const nameless = instance === '' || instance === OTHERS;
  // One copy moves once: a name that goes on using both is that of several, or somebody else calls itself so.
  const several = withNew !== undefined && lastAt - withNew.firstAt > 2 * NOTED_LATE_MS;
  const moved = withNew !== undefined && withNew.lastAt > lastAt;
  const state = nameless || (several && moved) ? 'unknown' : moved ? 'moved' : 'waiting';
  return {
    instance,
    state,
    source: state === 'moved' ? (withNew?.source ?? old.source) : old.source,
    firstSeen: firstAt,
    lastWithOld: lastAt,
    lastWithNew: withNew?.lastAt,
  };
}
