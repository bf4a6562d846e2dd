import { type CutoffEntry, type CutoffIndex, indexCutoffs } from '@countersign/protocol';
import type { Clock } from '../clock.ts';
import type { CutoffRecord } from '../storage/cutoffs.ts';
import type { Storage } from '../storage/storage.ts';

export interface CutoffLedgerDeps {
  readonly storage: Pick<Storage, 'cutoffs' | 'onChange' | 'coherent'>;
  readonly clock: Clock;
}

/** The orders that still matter: a token they concern may be alive. */
export interface CutoffState {
  /** Ascending by cursor. */
  readonly entries: readonly { readonly cursor: number; readonly entry: CutoffEntry }[];
  /** The newest cursor, of orders that no longer matter too; 0 when there was never one. */
  readonly head: number;
  readonly index: CutoffIndex;
}

export interface CutoffLedger {
  /**
   * As of now: every order that was committed before the call. Reads the database only when something changed. `seen`: a cursor
   * that somebody was given; another node may have given it that was told of the order before this one is.
   */
  current(seen?: number): Promise<CutoffState>;
  /** Called after each change that may be an order. */
  onChange(listener: () => void): () => void;
  close(): void;
}

/** Seconds: no access token lives longer than a day (config/settings/tokens.ts), and clocks differ. */
const MATTERS_FOR = 86_400 + 600;
const PAGE = 1000;
const PRUNE_EVERY_MS = 60_000;
/** The feed is public: whoever makes cursors up has the database asked once in so many ms. */
const LOOK_AHEAD_EVERY_MS = 100;

/** Keeps the orders of the last day in memory, so that neither the feed nor the admin API asks the database each time. */
export function createCutoffLedger(deps: CutoffLedgerDeps): CutoffLedger {
  const { storage, clock } = deps;
  const listeners = new Set<() => void>();
  let state: CutoffState = { entries: [], head: 0, index: indexCutoffs([]) };
  /** The order at the head, which tells whether the database still is the one that was read. */
  let newest = '';
  /** Orders that were read and that the database has lost: they go on here, as far as this process lives. */
  let lost: readonly CutoffEntry[] = [];
  let stale = true;
  let reading: Promise<void> | undefined;
  let prunedAt = clock.now();
  let lookedAheadAt = Number.NEGATIVE_INFINITY;

  const unsubscribe = storage.onChange((change) => {
    if (change.kind !== 'cutoffs' && change.kind !== 'all') return;
    stale = true;
    for (const listener of listeners) listener();
  });

  async function read(): Promise<void> {
    while (stale) {
      stale = false;
      try {
        if (await hasGoneBack()) startOver();
        let page: readonly CutoffRecord[];
        do {
          page = await storage.cutoffs.after(state.head, PAGE);
          take(page);
        } while (page.length === PAGE);
      } catch (error) {
        stale = true;
        throw error;
      }
    }
  }

  /** A standby that had not all commits may have taken over. Where the order at the head is swept, its number has to do. */
  async function hasGoneBack(): Promise<boolean> {
    if (state.head === 0) return false;
    const [there] = await storage.cutoffs.after(state.head - 1, 1);
    if (there?.cursor === state.head) return there.id !== newest;
    return (await storage.cutoffs.head()) < state.head;
  }

  function startOver(): void {
    lost = [...lost, ...state.entries.map(({ entry }) => entry)];
    state = { entries: [], head: 0, index: state.index };
  }

  function take(page: readonly CutoffRecord[]): void {
    const last = page[page.length - 1];
    if (last === undefined) return;
    newest = last.id;
    const added = page.filter(matters).map((record) => ({ cursor: record.cursor, entry: entryOf(record) }));
    const index = indexCutoffs(
      added.map(({ entry }) => entry),
      state.index,
    );
    state = { entries: [...state.entries, ...added], head: last.cursor, index };
  }

  function prune(): void {
    if (clock.now() - prunedAt < PRUNE_EVERY_MS) return;
    prunedAt = clock.now();
    const entries = state.entries.filter(({ entry }) => matters({ notBefore: entry.not_before }));
    if (entries.length < state.entries.length) {
      lost = lost.filter((entry) => matters({ notBefore: entry.not_before }));
      state = {
        entries,
        head: state.head,
        index: indexCutoffs([...lost, ...entries.map(({ entry }) => entry)]),
      };
    }
  }

  function matters(record: Pick<CutoffRecord, 'notBefore'>): boolean {
    return record.notBefore + MATTERS_FOR > clock.now() / 1000;
  }

  function looksAhead(seen: number): boolean {
    const now = clock.now();
    if (seen <= state.head || Math.abs(now - lookedAheadAt) < LOOK_AHEAD_EVERY_MS) return false;
    lookedAheadAt = now;
    return true;
  }

  return {
    async current(seen = 0) {
      if (!storage.coherent() || looksAhead(seen)) stale = true;
      // A change may come between the end of one reading and the return of who waited for it.
      while (stale || reading !== undefined) {
        reading ??= read().finally(() => {
          reading = undefined;
        });
        await reading;
      }
      prune();
      return state;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: unsubscribe,
  };
}

function entryOf(record: CutoffRecord): CutoffEntry {
  return { kind: record.kind, id: record.target, not_before: record.notBefore };
}
