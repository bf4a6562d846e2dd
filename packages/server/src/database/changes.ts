import type { Change } from '../storage/storage.ts';

/** More changes than this in one transaction are told as one `all`. */
const MOST = 1000;

/** Gathers the changes of one transaction, each once. */
export interface ChangeSet {
  add(change: Change): void;
  list(): readonly Change[];
}

export function changeSet(): ChangeSet {
  const changes = new Map<string, Change>();
  return {
    add: (change) => {
      if (changes.size <= MOST) changes.set(JSON.stringify(change), change);
    },
    list: () => (changes.size > MOST ? [{ kind: 'all' }] : [...changes.values()]),
  };
}

export interface ChangeFeed {
  /** Calls every listener before it returns. A listener must not throw: a cache that kept a stale entry would serve it. */
  readonly tell: (changes: readonly Change[]) => void;
  readonly onChange: (listener: (change: Change) => void) => () => void;
}

export function changeFeed(): ChangeFeed {
  const listeners = new Set<{ readonly call: (change: Change) => void }>();
  return {
    tell: (changes) => {
      for (const change of changes) for (const listener of listeners) listener.call(change);
    },
    onChange: (call) => {
      const listener = { call };
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
