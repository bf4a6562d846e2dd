import type { ReviewItem } from '@countersign/admin-api';
import { type ReviewUse, reviewUses } from '../reviews/use.ts';
import { instantOf } from '../reviews/view.ts';
import { rfc3339 } from '../../registry/views.ts';
import type { AccessRecord } from '../../storage/access.ts';
import type { ReviewItemNow } from '../../storage/review-items.ts';
import type { ReviewRecord } from '../../storage/reviews.ts';
import type { Stores } from '../../storage/storage.ts';
import { identitiesOf, remembering, required } from './find-record.ts';

type Reading = Pick<
  Stores,
  'access' | 'identities' | 'resourceServers' | 'usage' | 'usageReporters' | 'coverage'
>;

/** Items as a reviewer sees them, with one look at the use of all that is undecided. */
export async function itemViews(
  { clock }: { readonly clock: { now(): number } },
  stores: Reading,
  review: ReviewRecord,
  items: readonly ReviewItemNow[],
): Promise<(item: ReviewItemNow) => ReviewItem> {
  const identityOf = await identitiesOf(stores, items);
  const resourceServerOf = remembering((id) => stores.resourceServers.byId(id));
  const accesses = await stores.access.byIds(items.map(({ accessId }) => accessId));
  const now = new Map(accesses.map((record) => [record.id, record]));
  const seen = new Map<string, AccessRecord>();
  for (const item of items) {
    seen.set(item.id, await asItWas(stores, item, required(now.get(item.accessId), 'access')));
  }
  const undecided = items.filter(({ verdict }) => verdict === undefined);
  const records = undecided.flatMap(({ id }) => seen.get(id) ?? []);
  const uses = await reviewUses(stores, records, clock.now(), review.useWithinMs);
  const ends = new Map<string, Pick<ReviewItem, 'client_id' | 'environment' | 'owner' | 'resource'>>();
  for (const item of items) {
    const identity = identityOf(item.identityId);
    const resourceServer = required(await resourceServerOf(item.resourceServerId), 'resource server');
    ends.set(item.id, {
      client_id: identity.clientId,
      environment: identity.environment,
      owner: identity.owner.person,
      resource: resourceServer.identifier,
    });
  }
  return (item) =>
    viewOf(item, required(seen.get(item.id), 'access'), required(ends.get(item.id), 'item'), uses);
}

/** The access in the version that is decided on. */
async function asItWas(
  stores: Pick<Stores, 'access'>,
  item: ReviewItemNow,
  now: AccessRecord,
): Promise<AccessRecord> {
  if (now.version === item.accessVersion) return now;
  const versions = await stores.access.historyOf(item.identityId, item.resourceServerId);
  return versions.find(({ id, version }) => id === item.accessId && version === item.accessVersion) ?? now;
}

function viewOf(
  item: ReviewItemNow,
  access: AccessRecord,
  ends: Pick<ReviewItem, 'client_id' | 'environment' | 'owner' | 'resource'>,
  uses: ReadonlyMap<string, ReviewUse>,
): ReviewItem {
  const { verdict } = item;
  return {
    id: item.id,
    review: item.reviewId,
    access: item.accessId,
    version: item.accessVersion,
    changed: item.now.version !== item.accessVersion,
    ...ends,
    scopes: [...(verdict?.scopesBefore ?? access.scopes)],
    justification: access.justification,
    requested_by: access.requestedBy,
    approved_by: access.approvedBy ?? null,
    expires_at: rfc3339(access.expiresAt),
    access_state: item.now.state,
    reviewer: item.reviewer,
    fallback: item.fallback,
    state: item.state,
    decided_by: verdict?.person ?? null,
    decided_at: instantOf(item.decidedAt),
    comment: verdict?.comment ?? null,
    scopes_after: verdict === undefined ? null : [...verdict.scopesAfter],
    remediation: {
      state: item.remediation,
      reason: item.remediationReason ?? null,
      cutoff: item.cutoffId ?? null,
      effective_at: instantOf(item.effectiveAt),
    },
    // Written by reviewUses, and never changed since.
    usage: verdict === undefined ? (uses.get(item.accessId) ?? null) : (verdict.use as unknown as ReviewUse),
    created_at: rfc3339(item.createdAt),
    updated_at: rfc3339(item.updatedAt),
  };
}
