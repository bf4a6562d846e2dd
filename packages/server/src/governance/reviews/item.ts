import type { AccessEnds } from '../../registry/access-ends.ts';
import type { RuleDeps, Tell } from '../../registry/change-rules.ts';
import type { AccessRecord } from '../../storage/access.ts';
import type { ReviewItemNow, ReviewItemRecord } from '../../storage/review-items.ts';
import type { ReviewRecord } from '../../storage/reviews.ts';
import type { Stores } from '../../storage/storage.ts';
import { toldItem } from './view.ts';

/** An item with all that a decision looks at. */
export interface Deciding {
  readonly review: ReviewRecord;
  readonly item: ReviewItemNow;
  readonly access: AccessRecord;
  readonly ends: AccessEnds;
}

/** Reads it in the caller's transaction; the campaign does not end before that does. Undefined: there is no such item in it. */
export async function findItem(
  stores: Stores,
  reviewId: string,
  itemId: string,
): Promise<Deciding | undefined> {
  const review = await stores.reviews.hold(reviewId);
  const item = await stores.reviewItems.byId(itemId);
  if (review === undefined || item?.reviewId !== reviewId) return undefined;
  const access = await stores.access.byId(item.accessId);
  const identity = await stores.identities.byId(item.identityId);
  const resourceServer = await stores.resourceServers.byId(item.resourceServerId);
  if (access === undefined || identity === undefined || resourceServer === undefined) return undefined;
  return { review, item, access, ends: { identity, resourceServer } };
}

/** Writes the next version with its event. */
export async function replaceItem(
  deps: Pick<RuleDeps, 'clock'>,
  stores: Pick<Stores, 'reviewItems'>,
  tell: Tell,
  before: ReviewItemRecord,
  after: ReviewItemRecord,
  type: string,
  reason?: string,
): Promise<ReviewItemRecord> {
  const next = { ...after, updatedAt: deps.clock.now(), version: before.version + 1 };
  await stores.reviewItems.replace(next);
  tell({ type, resource: before.id, reason, before: toldItem(before), after: toldItem(next) });
  return next;
}
