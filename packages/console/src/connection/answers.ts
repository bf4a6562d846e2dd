// What was asked and answered, kept so that a screen that is gone back to is there at once, and asked again so that it is true.

export interface Answered {
  readonly data: unknown;
  readonly error: unknown;
  readonly asking: boolean;
  /** Epoch milliseconds of the last answer; 0: none yet. */
  readonly at: number;
}

const NOTHING: Answered = { data: undefined, error: undefined, asking: false, at: 0 };
/** Answers kept; the oldest makes room. */
const MOST_ANSWERS = 500;
/** Milliseconds for which an answer is good enough for a screen that is opened. */
const FRESH_MS = 5000;

export interface Answers {
  read(key: string): Answered;
  subscribe(key: string, listener: () => void): () => void;
  /** Asks unless somebody does already, or the answer is fresh. `anew`: also then. */
  ask(key: string, question: () => Promise<unknown>, anew?: boolean): void;
  /** After a change: nothing that was answered is true any more. */
  changed(): void;
  /** Counts the changes: who depends on it asks again. */
  version(): number;
  subscribeVersion(listener: () => void): () => void;
}

export function createAnswers(now: () => number = Date.now): Answers {
  const kept = new Map<string, Answered>();
  const listeners = new Map<string, Set<() => void>>();
  const versionListeners = new Set<() => void>();
  let version = 0;
  const put = (key: string, change: Partial<Answered>): void => {
    const next = { ...(kept.get(key) ?? NOTHING), ...change };
    kept.delete(key);
    kept.set(key, next);
    if (kept.size > MOST_ANSWERS) kept.delete(kept.keys().next().value as string);
    for (const listener of listeners.get(key) ?? []) listener();
  };
  return {
    read: (key) => kept.get(key) ?? NOTHING,
    subscribe(key, listener) {
      const set = listeners.get(key) ?? new Set();
      listeners.set(key, set.add(listener));
      return () => {
        set.delete(listener);
        if (set.size === 0) listeners.delete(key);
      };
    },
    ask(key, question, anew = false) {
      const present = kept.get(key) ?? NOTHING;
      if (present.asking || (!anew && present.error === undefined && now() - present.at < FRESH_MS)) return;
      put(key, { asking: true });
      const asked = version;
      question().then(
        (data) => {
          put(key, { data, error: undefined, asking: false, at: asked === version ? now() : 1 });
        },
        (error: unknown) => put(key, { error, asking: false }),
      );
    },
    changed() {
      version++;
      for (const [key, answered] of kept) kept.set(key, { ...answered, at: Math.min(answered.at, 1) });
      for (const listener of versionListeners) listener();
    },
    version: () => version,
    subscribeVersion(listener) {
      versionListeners.add(listener);
      return () => versionListeners.delete(listener);
    },
  };
}
