import type { Stores } from '../../storage/storage.ts';
import { rfc3339 } from '../views.ts';
import { LAG_MS } from './answer.ts';
import { MISSED_FOR_MS } from './read-use.ts';

export interface ResourceServerUsageView {
  told_until: string | null;
  silent: string[];
  opens: { scope: string; method: string; path: string; first_seen: string; last_seen: string }[];
}

/** Copies that are named; of more nobody needs the names. */
const MOST_NAMED = 20;
const DAY_MS = 86_400_000;

/** Whether and what a resource server tells of itself. */
export async function useOfResourceServer(
  stores: Pick<Stores, 'coverage' | 'usageReporters' | 'scopeRoutes'>,
  id: string,
  now: number,
): Promise<ResourceServerUsageView> {
  const spans = await stores.coverage.spans([id], { from: now - 400 * DAY_MS, to: now });
  const silent = await stores.usageReporters.silent([id], now - LAG_MS);
  // Who is silent for longer is taken for gone.
  const missed = silent.filter(({ toldUntil }) => toldUntil + MISSED_FOR_MS > now);
  const last = spans.findLast(({ kind }) => kind === 'seen')?.to;
  return {
    told_until: last === undefined ? null : rfc3339(last),
    silent: [...new Set(missed.map(({ instance }) => instance))].slice(0, MOST_NAMED),
    opens: (await stores.scopeRoutes.of(id)).map(({ scope, method, path, firstSeenAt, lastSeenAt }) => ({
      scope,
      method,
      path,
      first_seen: rfc3339(firstSeenAt),
      last_seen: rfc3339(lastSeenAt),
    })),
  };
}
