import { newId } from '../../ids.ts';
import type { RuleDeps, Tell } from '../../registry/change-rules.ts';
import { requestersOf } from '../../registry/suspend-access.ts';
import type { ReviewItemRecord } from '../../storage/review-items.ts';
import type { ReviewRecord } from '../../storage/reviews.ts';
import type { Stores } from '../../storage/storage.ts';
import { MOST_REMINDED, replaceReview } from './campaign.ts';
import { type Candidate, nextCandidates } from './population.ts';
import { type Assigned, createAssigner, type ReviewerStores } from './reviewer.ts';

/** Accesses that one transaction looks at: tokens are issued meanwhile. */
export const FILLED_AT_ONCE = 50;

export type FillStores = ReviewerStores &
  Pick<Stores, 'reviews' | 'reviewItems' | 'access' | 'resourceServers'>;

/**
 * Makes items of the next accesses that the campaign is about, in the caller's transaction; when there are no more it is open.
 * Two nodes at once: the second finds another version of the campaign, and nothing is twice in it.
 */
export async function fillReview(
  deps: RuleDeps,
  stores: FillStores,
  tell: Tell,
  review: ReviewRecord,
  most: number,
): Promise<ReviewRecord> {
  if (review.state !== 'starting') return review;
  const startedAt = review.startedAt ?? deps.clock.now();
  const page = await nextCandidates(stores, review.query, startedAt, FILLED_AT_ONCE, review.lookedUpTo);
  const assign = createAssigner(stores, review);
  const items: ReviewItemRecord[] = [];
  for (const [place, candidate] of page.items.slice(0, most - review.items).entries()) {
    items.push(await itemOf(deps, stores, review, candidate, assign, review.items + place));
  }
  await stores.reviewItems.insert(items);
  const found = review.items + items.length;
  const full = found >= most && (page.next !== undefined || items.length < page.items.length);
  const shown = { added: items.map(({ accessId, accessVersion }) => `${accessId}@${accessVersion}`) };
  if (full) {
    // Those who could not all be asked are asked nothing: no silence suspends what was never to be reviewed.
    const reason = `more than ${most} accesses match: narrow the query`;
    const end = {
      state: 'closed',
      stateReason: reason,
      endedAt: deps.clock.now(),
      nextAt: undefined,
    } as const;
    return await replaceReview(deps, stores, tell, review, 'review.closed', { ...end, items: found }, reason);
  }
  if (page.next !== undefined) {
    const change = { items: found, lookedUpTo: page.next };
    return await replaceReview(deps, stores, tell, review, 'review.filled', change, undefined, shown);
  }
  const change = { state: 'open', items: found, lookedUpTo: undefined, nextAt: deps.clock.now() } as const;
  const waiting = await stores.reviewItems.waiting(review.id, 'reviewer', MOST_REMINDED);
  const told = { ...shown, waiting };
  return await replaceReview(deps, stores, tell, review, 'review.opened', change, undefined, told);
}

async function itemOf(
  deps: RuleDeps,
  stores: FillStores,
  review: ReviewRecord,
  { access, identity }: Candidate,
  assign: ReturnType<typeof createAssigner>,
  turn: number,
): Promise<ReviewItemRecord> {
  const now = deps.clock.now();
  const requesters = await requestersOf(stores, access);
  const { reviewer, fallback }: Assigned = await assign(identity, requesters, turn);
  return {
    id: newId('rvi', deps.random),
    reviewId: review.id,
    accessId: access.id,
    accessVersion: access.version,
    identityId: identity.id,
    resourceServerId: access.resourceServerId,
    requesters,
    reviewer,
    fallback,
    handedOn: 0,
    state: 'pending',
    verdict: undefined,
    decidedAt: undefined,
    remediation: 'none',
    remediationReason: undefined,
    cutoffId: undefined,
    effectiveAt: undefined,
    checkAt: undefined,
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
}
