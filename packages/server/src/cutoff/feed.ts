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

export interface CutoffFeed {
  /**
   * A signed page (`typ: cutoffs+jwt`) of the orders after `after`; all that still matter for 0 or for a cursor that is
   * not of this authority's present database. Without news it waits `waitSeconds` (at most 25) and answers with an empty
   * page, the heartbeat. Where no more may wait, in all or from this source, that comes at once: the feed is public, and
   * whoever fills it must not be able to keep the orders from those who obey them.
   */
  read(after: number, waitSeconds: number, source: string, signal?: AbortSignal): Promise<string>;
  /** Followers that wait now. */
  waiting(): number;
  /** Answers everybody who waits, and from now on at once. */
  drain(): void;
}

/** Seconds. */
export const LONGEST_WAIT = 25;
const PAGE_LIFETIME = 60;
const MOST_WAITING = 5000;
const MOST_WAITING_A_SOURCE = 100;
const ENTRIES_A_PAGE = 10_000;
const PAGES_KEPT = 1000;

export function createCutoffFeed(deps: CutoffFeedDeps): CutoffFeed {
  const waiting = new Set<() => void>();
  /** How many wait, by source. */
  const waitingOf = new Map<string, number>();
  /** Pages of this second: followers stand at the same cursor and are woken together, so one signature serves them all. */
  const pages = new Map<string, Promise<string>>();
  let pagesOf = 0;
  let changes = 0;
  let draining = false;

  deps.ledger.onChange(() => {
    changes++;
    wakeAll();
  });

  function wakeAll(): void {
    for (const wake of waiting) wake();
  }

  function hasRoom(source: string): boolean {
    return waiting.size < MOST_WAITING && (waitingOf.get(source) ?? 0) < MOST_WAITING_A_SOURCE;
  }

  function countWaiting(source: string, change: 1 | -1): void {
    const count = (waitingOf.get(source) ?? 0) + change;
    if (count > 0) waitingOf.set(source, count);
    else waitingOf.delete(source);
  }

  function wait(seconds: number, source: string, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        if (waiting.delete(wake)) countWaiting(source, -1);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, seconds * 1000);
      waiting.add(wake);
      countWaiting(source, 1);
      signal?.addEventListener('abort', wake);
    });
  }

  function page(after: number, state: CutoffState): Promise<string> {
    const now = epochSeconds(deps.clock);
    if (now !== pagesOf || pages.size > PAGES_KEPT) pages.clear();
    pagesOf = now;
    const claims = pageClaims(deps.issuer, after, state, now);
    const key = `${claims.from} ${claims.cursor}`;
    let jws = pages.get(key);
    if (jws === undefined) {
      jws = deps.keystore.sign('ES256', JWT_TYP.cutoffs, JSON.stringify(claims));
      pages.set(key, jws);
      jws.catch(() => pages.clear());
    }
    return jws;
  }

  return {
    async read(after, waitSeconds, source, signal) {
      for (let last = false; ; ) {
        const seen = changes;
        const state = await deps.ledger.current();
        const news = after !== state.head;
        if (news || last || draining || waitSeconds <= 0 || signal?.aborted === true) {
          return await page(after, state);
        }
        // An order that came while the ledger was being read has rung already.
        if (changes !== seen) continue;
        if (hasRoom(source)) await wait(Math.min(waitSeconds, LONGEST_WAIT), source, signal);
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
