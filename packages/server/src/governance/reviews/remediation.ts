import type { RuleDeps, Tell } from '../../registry/change-rules.ts';
import { LAG_MS, useIn } from '../../registry/use/answer.ts';
import { NOT_WATCHED, watchedOf } from '../../registry/use/read-use.ts';
import { STANDING_SCOPES } from '../../registry/stands-for.ts';
import { rfc3339 } from '../../registry/views.ts';
import type { ReviewItemNow, ReviewItemRecord } from '../../storage/review-items.ts';
import type { Stores } from '../../storage/storage.ts';
import { replaceItem } from './item.ts';

/**
 * Reports tell of a minute or so at once: what one that began before tells of is not held against what came after. Then an hour
 * is watched.
 */
const SETTLED_MS: number = LAG_MS;
const WATCHED_MS = 3_600_000;
export const FIRST_CHECK_MS: number = SETTLED_MS + WATCHED_MS + LAG_MS;
const AGAIN_AFTER_MS: number = WATCHED_MS;
/** For so long it is looked whether what failed has ended after all. */
const FAILED_FOR_MS = 90 * 86_400_000;
/** A resource server that tells nothing for so long is not waited for. */
const GIVEN_UP_AFTER_MS = 86_400_000;

export type CheckStores = Pick<Stores, 'reviewItems' | 'usage' | 'usageReporters' | 'coverage'>;

/**
 * Whether what was taken away is not used any more, as far as the resource servers tell; in the caller's transaction. Verified
 * takes reports of the time since without a single success; without reports nobody can say so, and nobody does.
 */
export async function checkRemediation(
  deps: RuleDeps,
  stores: CheckStores,
  tell: Tell,
  itemId: string,
): Promise<void> {
  const now = deps.clock.now();
  const item = await stores.reviewItems.byId(itemId);
  if (item?.effectiveAt === undefined || item.checkAt === undefined || item.checkAt > now) return;
  const found = await findingOf(stores, item, item.effectiveAt, now);
  const again = now - item.effectiveAt < FAILED_FOR_MS ? now + AGAIN_AFTER_MS : undefined;
  if (found === undefined || found[0] === item.remediation) {
    // Nobody has to know of it: it is looked at again.
    await stores.reviewItems.replace({ ...item, checkAt: again, updatedAt: now, version: item.version + 1 });
    return;
  }
  const [remediation, remediationReason] = found;
  const checkAt = remediation === 'failed' ? again : undefined;
  const next: ReviewItemRecord = { ...item, remediation, remediationReason, checkAt };
  await replaceItem(
    deps,
    stores,
    tell,
    item,
    next,
    `review_item.remediation_${remediation}`,
    remediationReason,
  );
}

type Finding = readonly ['verified' | 'failed' | 'unverifiable', string | undefined];

/** Undefined: not yet. */
async function findingOf(
  stores: CheckStores,
  item: ReviewItemNow,
  effectiveAt: number,
  now: number,
): Promise<Finding | undefined> {
  const removed = removedBy(item);
  if (item.now.state === 'active') {
    const again = removed.filter((scope) => item.now.scopes.includes(scope));
    if (again.length > 0) return ['unverifiable', `given again since: ${again.join(' ')}`];
  }
  const used = await usedSince(stores, item, removed, effectiveAt + SETTLED_MS);
  const lastAt = Math.max(0, ...used.map(({ at }) => at));
  if (used.length > 0 && now - lastAt < FIRST_CHECK_MS) {
    const shown = used.slice(0, 5).map(({ scope, at }) => `${scope} at ${rfc3339(at)}`);
    return ['failed', `still let through: ${shown.join(', ')}`];
  }
  const unseen = removed.filter((scope) => UNSEEN.has(scope));
  if (unseen.length > 0) return ['unverifiable', `exercised at the authority itself: ${unseen.join(' ')}`];
  const window = { from: Math.max(effectiveAt, lastAt) + SETTLED_MS, to: now };
  const watched = await watchedOf(stores, [item.resourceServerId], window);
  const seen = watched.get(item.resourceServerId) ?? NOT_WATCHED;
  if (useIn(window, undefined, seen) === 'unused')
    return ['verified', lastAt === 0 ? undefined : `let through until ${rfc3339(lastAt)}`];
  // What was seen to fail stays so until it is seen to have ended.
  if (item.remediation === 'failed' || now - effectiveAt < GIVEN_UP_AFTER_MS) return undefined;
  return [
    'unverifiable',
    seen.seen.length === 0
      ? 'its resource server does not report use'
      : 'its resource server did not report all of the time since',
  ];
}

/** Of an access that is gone any use counts, also where no scope was asked for. */
async function usedSince(
  stores: CheckStores,
  item: ReviewItemNow,
  removed: readonly string[],
  from: number,
): Promise<readonly { readonly scope: string; readonly at: number }[]> {
  const rows = await stores.usage.ofAccess([item.accessId]);
  return rows
    .filter(({ scope }) => item.state !== 'reduced' || removed.includes(scope))
    .map(({ scope, lastOkAt = 0 }) => ({ scope, at: lastOkAt }))
    .filter(({ at }) => at >= from);
}

const UNSEEN: ReadonlySet<string> = new Set(Object.values(STANDING_SCOPES));

function removedBy({ verdict }: ReviewItemRecord): readonly string[] {
  const after = verdict?.scopesAfter ?? [];
  return (verdict?.scopesBefore ?? []).filter((scope) => !after.includes(scope));
}
