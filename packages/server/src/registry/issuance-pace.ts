/** How fast tokens of one access were asked for at this process, since the last look. */
export interface Pace {
  readonly accessId: string;
  readonly tokens: number;
  /** Seconds that the last of them lives. */
  readonly lifetime: number;
  /** Addresses that asked, counted up to `MOST_SOURCES`: copies of one identity that each keep a token of their own. */
  readonly sources: number;
  /** Milliseconds in which they were counted. */
  readonly elapsed: number;
}

export interface IssuancePace {
  /** One token was issued. Called once a token: it allocates nothing for an access and a source that are known. */
  count(accessId: string, lifetime: number, source: string): void;
  /** What was counted since the last call, and begins anew. In memory only: what a restart forgot is unknown, not good. */
  take(now: number): ReadonlyMap<string, Pace>;
}

/** Accesses counted at once; of more than these some are not, until the next look. About 30 MB when all are busy. */
const MOST_ACCESSES = 50_000;
/** More copies than this count as this many. */
export const MOST_SOURCES = 64;

interface Count {
  tokens: number;
  lifetime: number;
  readonly sources: Set<string>;
}

export function createIssuancePace(start: number, mostAccesses: number = MOST_ACCESSES): IssuancePace {
  let counts = new Map<string, Count>();
  let since = start;
  return {
    count(accessId, lifetime, source) {
      const known = counts.get(accessId);
      if (known === undefined) {
        if (counts.size < mostAccesses)
          counts.set(accessId, { tokens: 1, lifetime, sources: new Set([source]) });
        return;
      }
      known.tokens++;
      known.lifetime = lifetime;
      if (known.sources.size < MOST_SOURCES) known.sources.add(source);
    },

    take(now) {
      const elapsed = Math.max(0, now - since);
      const paces = new Map<string, Pace>();
      for (const [accessId, { tokens, lifetime, sources }] of counts) {
        paces.set(accessId, { accessId, tokens, lifetime, sources: sources.size, elapsed });
      }
      counts = new Map();
      since = now;
      return paces;
    },
  };
}
