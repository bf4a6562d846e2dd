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
  if (item?.remediation !== 'pending' || item.effectiveAt === undefined) return;
  if (item.checkAt === undefined || item.checkAt > now) return;
  const found = await findingOf(stores, item, item.effectiveAt, now);
  if (found === undefined) {
    // Nobody has to know of it: it is looked at again.
    const next = { ...item, checkAt: now + AGAIN_AFTER_MS, updatedAt: now, version: item.version + 1 };
    await stores.reviewItems.replace(next);
    return;
  }
  const [remediation, remediationReason] = found;
  const next: ReviewItemRecord = { ...item, remediation, remediationReason, checkAt: undefined };
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
  const window = { from: effectiveAt + SETTLED_MS, to: now };
  const rows = await stores.usage.ofAccess([item.accessId]);
  const used = rows
    // Of an access that is gone any use counts, also where no scope was asked for.
    .filter(({ scope }) => item.state !== 'reduced' || removed.includes(scope))
    .filter(({ lastOkAt }) => (lastOkAt ?? 0) >= window.from)
    .map(({ scope, lastOkAt }) => `${scope} at ${rfc3339(lastOkAt ?? 0)}`);
  if (used.length > 0) return ['failed', `still let through: ${used.slice(0, 5).join(', ')}`];
  const unseen = removed.filter((scope) => UNSEEN.has(scope));
  if (unseen.length > 0) return ['unverifiable', `exercised at the authority itself: ${unseen.join(' ')}`];
  const watched = await watchedOf(stores, [item.resourceServerId], window);
  const seen = watched.get(item.resourceServerId) ?? NOT_WATCHED;
  if (useIn(window, undefined, seen) === 'unused') return ['verified', undefined];
  if (now - effectiveAt < GIVEN_UP_AFTER_MS) return undefined;
  return [
    'unverifiable',
    seen.seen.length === 0
      ? 'its resource server does not report use'
      : 'its resource server did not report all of the time since',
  ];
}

const UNSEEN: ReadonlySet<string> = new Set(Object.values(STANDING_SCOPES));

function removedBy({ verdict }: ReviewItemRecord): readonly string[] {
  const after = verdict?.scopesAfter ?? [];
  return (verdict?.scopesBefore ?? []).filter((scope) => !after.includes(scope));
}
