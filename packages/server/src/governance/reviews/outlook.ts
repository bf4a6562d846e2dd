import { setImmediate as turn } from 'node:timers/promises';
import { requestersOf } from '../../registry/suspend-access.ts';
import { useOfAccess } from '../../registry/use/read-use.ts';
import type { Position } from '../../storage/page.ts';
import type { ReviewRecord } from '../../storage/reviews.ts';
import type { Stores } from '../../storage/storage.ts';
import { nextCandidates } from './population.ts';
import { createAssigner, type ReviewerStores } from './reviewer.ts';

const PAGE = 200;
/** Of whose reviewers a dry run tells: who they are is looked up one by one. */
const MOST_ASSIGNED = 10_000;
const MOST_SHOWN = 100;

export type OutlookStores = ReviewerStores &
  Pick<Stores, 'access' | 'resourceServers' | 'usage' | 'usageReporters' | 'coverage'>;

type Asking = Pick<ReviewRecord, 'query' | 'reviewers' | 'fallback' | 'notOwner' | 'useWithinMs'>;

/** What a campaign would ask, and whom. */
export interface Outlook {
  items: number;
  too_many: boolean;
  assigned: number;
  unused: number;
  reviewers: { reviewer: string; items: number }[];
  to_fallback: number;
}

/** How many accesses it is about, no further than one more than `most`. */
export async function countCandidates(
  stores: OutlookStores,
  { query }: Pick<ReviewRecord, 'query'>,
  now: number,
  most: number,
): Promise<number> {
  let count = 0;
  let after: Position | undefined;
  do {
    const page = await nextCandidates(stores, query, now, PAGE, after);
    count += page.items.length;
    after = page.next;
    await turn();
  } while (after !== undefined && count <= most);
  return Math.min(count, most + 1);
}

export async function outlookOf(
  stores: OutlookStores,
  review: Asking,
  now: number,
  most: number,
): Promise<Outlook> {
  const assign = createAssigner(stores, review);
  const shares = new Map<string, number>();
  const outlook = { items: 0, too_many: false, assigned: 0, unused: 0, to_fallback: 0 };
  let after: Position | undefined;
  do {
    const page = await nextCandidates(stores, review.query, now, PAGE, after);
    if (outlook.assigned < MOST_ASSIGNED) {
      const uses = await useOfAccess(
        stores,
        page.items.map(({ access }) => access),
        now,
        review.useWithinMs,
      );
      outlook.unused += [...uses.values()].filter(({ answer }) => answer === 'unused').length;
      for (const { access, identity } of page.items) {
        const assigned = await assign(identity, await requestersOf(stores, access), outlook.assigned);
        shares.set(assigned.reviewer, (shares.get(assigned.reviewer) ?? 0) + 1);
        outlook.assigned++;
        if (assigned.toFallback) outlook.to_fallback++;
      }
    }
    outlook.items += page.items.length;
    after = page.next;
    await turn();
  } while (after !== undefined && outlook.items <= most);
  const reviewers = [...shares]
    .map(([reviewer, items]) => ({ reviewer, items }))
    .sort((one, other) => other.items - one.items || (one.reviewer < other.reviewer ? -1 : 1));
  return {
    ...outlook,
    items: Math.min(outlook.items, most + 1),
    too_many: outlook.items > most,
    reviewers: reviewers.slice(0, MOST_SHOWN),
  };
}
