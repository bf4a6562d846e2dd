import { type CutoffFeed as FeedClaims, JWT_TYP } from '@countersign/protocol';
import { type Clock, epochSeconds } from '../clock.ts';
import type { Keystore } from '../keys/keystore.ts';
import type { CutoffLedger, CutoffState } from './ledger.ts';

export interface CutoffFeedDeps {
  readonly ledger: CutoffLedger;
  readonly keystore: Pick<Keystore, 'sign'>;
  readonly clock: Clock;
  readonly issuer: string;
}

/** Whose room to wait a follower takes. */
export interface FollowedFrom {
  /** Its network; of one that proved itself, its resource server. */
  readonly source: string;
  readonly proven: boolean;
}

export interface CutoffFeed {
  /**
   * A signed page (`typ: cutoffs+jwt`) of the orders after `after`; all that still matter for 0 or for a cursor that is
   * not of this authority's present database. Without news it waits `waitSeconds` (at most 25) and answers with an empty
   * page, the heartbeat. Where no more may wait, in all or from this source, that comes at once: the feed is public, and
   * whoever fills it must not be able to keep the orders from those who obey them. Those who proved whose they are have room of
   * their own.
   */
  read(after: number, waitSeconds: number, from: FollowedFrom, signal?: AbortSignal): Promise<string>;
  /** Followers that wait now. */
  waiting(): number;
  /** Answers everybody who waits, and from now on at once. */
  drain(): void;
}

/** Seconds. */
export const LONGEST_WAIT = 25;
const PAGE_LIFETIME = 60;
const MOST_WAITING = 5000;
/** A cluster whose verifiers all come by one address is one source. */
const MOST_WAITING_A_SOURCE = 250;
/** Room of its own for each resource server, of those who proved that they are of it. */
const MOST_WAITING_PROVEN = 1000;
const ENTRIES_A_PAGE = 10_000;
const PAGES_KEPT = 1000;
/** Characters of them in all: whoever asks from every cursor there is gets another page each time. */
const MOST_KEPT = 33_554_432;

export function createCutoffFeed(deps: CutoffFeedDeps): CutoffFeed {
  const waiting = new Set<() => void>();
  /** How many wait, by source. */
  const waitingOf = new Map<string, number>();
  /** Pages of this second: followers stand at the same cursor and are woken together, so one signature serves them all. */
  const pages = new Map<string, Promise<string>>();
  let pagesOf = 0;
  let kept = 0;
  let changes = 0;
  /** Of all who wait, those who proved nothing. */
  let strangersWaiting = 0;
  let draining = false;

  deps.ledger.onChange(() => {
    changes++;
    wakeAll();
  });

  function wakeAll(): void {
    for (const wake of waiting) wake();
  }

  function hasRoom({ source, proven }: FollowedFrom): boolean {
    const here = waitingOf.get(source) ?? 0;
    if (proven) return here < MOST_WAITING_PROVEN;
    return strangersWaiting < MOST_WAITING && here < MOST_WAITING_A_SOURCE;
  }

  function countWaiting({ source, proven }: FollowedFrom, change: 1 | -1): void {
    if (!proven) strangersWaiting += change;
    const count = (waitingOf.get(source) ?? 0) + change;
    if (count > 0) waitingOf.set(source, count);
    else waitingOf.delete(source);
  }

  function wait(seconds: number, from: FollowedFrom, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        if (waiting.delete(wake)) countWaiting(from, -1);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, seconds * 1000);
      waiting.add(wake);
      countWaiting(from, 1);
      signal?.addEventListener('abort', wake);
    });
  }

  function page(after: number, state: CutoffState): Promise<string> {
    const now = epochSeconds(deps.clock);
    if (now !== pagesOf || pages.size > PAGES_KEPT || kept > MOST_KEPT) {
      pages.clear();
      kept = 0;
    }
    pagesOf = now;
    const claims = pageClaims(deps.issuer, after, state, now);
    const key = `${claims.from} ${claims.cursor}`;
    let jws = pages.get(key);
    if (jws === undefined) {
      const text = JSON.stringify(claims);
      kept += text.length;
      jws = deps.keystore.sign('ES256', JWT_TYP.cutoffs, text);
      pages.set(key, jws);
      jws.catch(() => pages.clear());
    }
    return jws;
  }

  return {
    async read(after, waitSeconds, from, signal) {
      for (let last = false; ; ) {
        const seen = changes;
        const state = await deps.ledger.current(after);
        const news = after !== state.head;
        if (news || last || draining || waitSeconds <= 0 || signal?.aborted === true) {
          return await page(after, state);
        }
        // An order that came while the ledger was being read has rung already.
        if (changes !== seen) continue;
        if (hasRoom(from)) await wait(Math.min(waitSeconds, LONGEST_WAIT), from, signal);
        last = true;
      }
    },
    waiting: () => waiting.size,
    drain() {
      draining = true;
      wakeAll();
    },
  };
}

function pageClaims(issuer: string, after: number, state: CutoffState, now: number): FeedClaims {
  const from = after > state.head ? 0 : after;
  const rest = state.entries.filter(({ cursor }) => cursor > from);
  const shown = rest.slice(0, ENTRIES_A_PAGE);
  const last = shown[shown.length - 1];
  return {
    iss: issuer,
    iat: now,
    exp: now + PAGE_LIFETIME,
    from,
    cursor: rest.length > shown.length && last !== undefined ? last.cursor : state.head,
    entries: shown.map(({ entry }) => entry),
  };
}
