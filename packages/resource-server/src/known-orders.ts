// What pages of one issuer's cut-off feed add up to: orders, the place in the feed, and how new the news is.
import { type CutoffFeed, type CutoffIndex, indexCutoffs } from '@countersign/protocol/cutoff-feed';
import { FeedError } from './cutoff-alarm.ts';

/** Seconds after which everything is asked for anew, so that orders that no longer matter are forgotten. */
const START_OVER_AFTER = 3600;
/**
 * Seconds after which it no longer matters that orders which were seen here are gone from the feed: no token that they
 * concern lives any more.
 */
const FORGIVES_ROLLBACK_AFTER = 87_000;

export interface KnownOrders {
  /** Another object whenever there are others. */
  readonly index: CutoffIndex;
  /** What to ask for next: what follows the last page; `undefined` asks for everything that still matters. */
  readonly cursor: number | undefined;
  /** Of the last page. */
  readonly receipt: number | undefined;
  /** Whether the pages have come to their end once since the start; before that, orders may still be missing. */
  readonly complete: boolean;
  /** Whether pages are still to come that belong to what was asked for: until they have, none of them is news of how things stand. */
  readonly gathering: boolean;
  /** Epoch seconds of the moment for which all is known; minus infinity before that. */
  readonly freshAt: number;
  /**
   * Adds a page. `now`: epoch seconds.
   * @throws FeedError when it leads to less than was seen before: its orders are obeyed, but it is no news.
   */
  take(page: CutoffFeed, now: number, leeway: number): void;
  /** Asks for everything next; orders already known stay in force. */
  startOver(): void;
  startOverIfOld(now: number): void;
  /** There may be more to learn than one page holds. */
  catchUp(): void;
}

/** Also of a feed that is as long as before orders may be gone: it was restored from an older copy, and there are others now. */
function mattering(index: CutoffIndex, now: number): CutoffIndex {
  const young = (orders: ReadonlyMap<string, number>): ReadonlyMap<string, number> =>
    new Map([...orders].filter(([, notBefore]) => now - notBefore < FORGIVES_ROLLBACK_AFTER));
  const { identity, credential, token, key } = index;
  return { identity: young(identity), credential: young(credential), token: young(token), key: young(key) };
}

export function createKnownOrders(): KnownOrders {
  let index: CutoffIndex = indexCutoffs([]);
  let cursor: number | undefined;
  let receipt: number | undefined;
  let complete = false;
  let gathering = true;
  let freshAt = Number.NEGATIVE_INFINITY;
  let highest = 0;
  let highestAt = 0;
  /** When orders were last seen to be gone: from then on nothing is forgotten for as long as they may matter. */
  let wentBackAt = Number.NEGATIVE_INFINITY;
  let snapshotAt = 0;

  function startOver(): void {
    cursor = undefined;
    gathering = true;
  }

  return {
    get index() {
      return index;
    },
    get cursor() {
      return cursor;
    },
    get receipt() {
      return receipt;
    },
    get complete() {
      return complete;
    },
    get gathering() {
      return gathering;
    },
    get freshAt() {
      return freshAt;
    },
    take(page, now, leeway) {
      const isSnapshot = cursor === undefined;
      const goesBack = page.cursor < highest && now - highestAt < FORGIVES_ROLLBACK_AFTER;
      if (goesBack) wentBackAt = now;
      const mayForget = isSnapshot && now - wentBackAt >= FORGIVES_ROLLBACK_AFTER;
      if (page.entries.length > 0 || mayForget) {
        index = indexCutoffs(page.entries, mayForget ? mattering(index, now) : index);
      }
      if (isSnapshot) snapshotAt = now;
      cursor = receipt = page.cursor;
      // What is known may come in several pages; an empty one ends them.
      const isLast = page.entries.length === 0 || page.cursor === page.from;
      if (goesBack) {
        if (!isLast) return;
        throw new FeedError('rolled_back', 'orders that were in it are gone');
      }
      highest = page.cursor;
      highestAt = now;
      if (isLast) {
        complete = true;
        gathering = false;
      }
      // A page speaks for the moment it was signed, not for the one it came: somebody may have kept it back.
      if (!gathering) freshAt = Math.min(now, page.iat + leeway);
    },
    startOver,
    startOverIfOld(now) {
      if (Math.abs(now - snapshotAt) > START_OVER_AFTER) startOver();
    },
    catchUp() {
      gathering = true;
    },
  };
}
