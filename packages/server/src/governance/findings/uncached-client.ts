import { MOST_SOURCES, type Pace } from '../../registry/issuance-pace.ts';
import type { Detector } from './detector.ts';
import { usableAccess } from './usable.ts';

const HOUR_MS = 3_600_000;
/** Tokens of one lifetime for one caller: two are usual, for clients renew early. From here on it keeps none. */
const MANY = 10;
const VERY_MANY = 100;
/** Fewer than this may be chance: restarts, tests, a rollout. */
const FEWEST = 30;
const SHORTEST_LOOK_MS = 600_000;

/** A client that asks for a new token far more often than its lifetimes need. */
export const uncachedClient: Detector = {
  kind: 'uncached_client',
  quietMs: 24 * HOUR_MS,
  observe(facts, { now, paces }) {
    return usableAccess(facts, now).flatMap(({ access, resourceServer }) => {
      const pace = paces.get(access.id);
      const each = pace === undefined ? 0 : tokensPerLifetime(pace);
      if (each < MANY) return [];
      // In orders of magnitude: the reason is the same while the pace is about the same.
      const about = each >= VERY_MANY ? VERY_MANY : MANY;
      return [
        {
          subject: 'access' as const,
          subjectId: access.id,
          severity: each >= VERY_MANY ? ('medium' as const) : ('low' as const),
          reason: `asks for more than ${about} tokens for ${resourceServer.identifier} in the lifetime of one: it should keep a token until shortly before its expires_in is over`,
          fix: 'npm install @countersign/client',
        },
      ];
    });
  },
};

/**
 * Of one caller. Of a lifetime longer than what was looked at, what was seen is the least there can be. Beyond so many
 * addresses nobody knows how many there were, so nothing is said.
 */
function tokensPerLifetime({ tokens, lifetime, sources, elapsed }: Pace): number {
  if (elapsed < SHORTEST_LOOK_MS || tokens < FEWEST || sources >= MOST_SOURCES) return 0;
  return (tokens * Math.min(1, (lifetime * 1000) / elapsed)) / sources;
}
