import { keepAdministered } from '../../registry/administrators.ts';
import type { Tell } from '../../registry/change-rules.ts';
import { moveIdentity } from '../../registry/lifecycle.ts';
import { suspendAccess } from '../../registry/suspend-access.ts';
import type { ReviewItemRecord, ReviewVerdict } from '../../storage/review-items.ts';
import type { Stores } from '../../storage/storage.ts';
import type { DecideDeps } from './decide.ts';
import { endTokens } from './end-tokens.ts';
import { type Deciding, findItem, replaceItem } from './item.ts';
import { FIRST_CHECK_MS } from './remediation.ts';
import { reviewUses } from './use.ts';

const AUTHORITY = 'countersign';

/**
 * Nobody decided, neither the reviewer nor the fallback: what the campaign says is suspended, in the caller's transaction.
 * Nothing is deleted, and people can give it back. Does nothing where somebody was faster. Throws `last_administrator`.
 */
export async function suspendSilent(
  deps: DecideDeps,
  stores: Stores,
  tell: Tell,
  reviewId: string,
  itemId: string,
): Promise<void> {
  const deciding = await dueItem(deps, stores, reviewId, itemId);
  if (deciding === undefined) return;
  const { item, access, ends } = deciding;
  if (access.state !== 'active') {
    await replaceItem(deps, stores, tell, item, { ...item, state: 'gone' }, 'review_item.gone');
    return;
  }
  await keepAdministered(deps, stores, ends.identity.id, () => suspend(deps, stores, tell, deciding));
}

/** The same where suspending it would leave nobody who can administer the authority: it is told, and stays. */
export async function spareSilent(
  deps: DecideDeps,
  stores: Stores,
  tell: Tell,
  reviewId: string,
  itemId: string,
): Promise<void> {
  const deciding = await dueItem(deps, stores, reviewId, itemId);
  if (deciding === undefined) return;
  const { item, access } = deciding;
  const comment = 'nobody decided; not suspended, for nobody else could administer the authority';
  const verdict = await silentVerdict(deps, stores, deciding, comment, access.scopes);
  const next: ReviewItemRecord = { ...item, state: 'silent', verdict, decidedAt: deps.clock.now() };
  await replaceItem(deps, stores, tell, item, next, 'review_item.spared', comment);
}

async function dueItem(
  { clock }: DecideDeps,
  stores: Stores,
  reviewId: string,
  itemId: string,
): Promise<Deciding | undefined> {
  const deciding = await findItem(stores, reviewId, itemId);
  if (deciding === undefined || deciding.item.state !== 'pending') return undefined;
  const { state, silenceAt } = deciding.review;
  return state === 'overdue' && silenceAt <= clock.now() ? deciding : undefined;
}

async function suspend(deps: DecideDeps, stores: Stores, tell: Tell, deciding: Deciding): Promise<void> {
  const { review, item, access, ends } = deciding;
  const reason = `review ${review.name}: nobody decided`;
  const verdict = await silentVerdict(deps, stores, deciding, 'nobody decided', []);
  const decided = { ...item, state: 'silent', verdict, decidedAt: deps.clock.now() } as const;
  if (review.onSilence === 'suspend_identity') {
    // Its tokens end with it; whether they are used any more is seen with the identity.
    if (ends.identity.state === 'active') {
      const moving = { move: 'suspend', reason, actor: { identity: AUTHORITY } } as const;
      await moveIdentity(deps, stores, tell, ends.identity, moving);
    }
    await replaceItem(deps, stores, tell, item, decided, 'review_item.silent', reason);
    return;
  }
  await suspendAccess(deps, stores, tell, ends, access, reason);
  const { cutoffId, effectiveAt } = await endTokens(deps, stores, tell, {
    ends,
    how: review.tokens,
    reason,
    orderedBy: AUTHORITY,
  });
  const checkAt = effectiveAt + FIRST_CHECK_MS;
  const next = { ...decided, remediation: 'pending', cutoffId, effectiveAt, checkAt } as const;
  await replaceItem(deps, stores, tell, item, next, 'review_item.silent', reason);
}

async function silentVerdict(
  { clock }: DecideDeps,
  stores: Stores,
  { review, access }: Deciding,
  comment: string,
  scopesAfter: readonly string[],
): Promise<ReviewVerdict> {
  const uses = await reviewUses(stores, [access], clock.now(), review.useWithinMs);
  return {
    person: AUTHORITY,
    issuer: undefined,
    subject: undefined,
    roles: [],
    comment,
    scopesBefore: access.scopes,
    scopesAfter,
    use: { ...uses.get(access.id) },
  };
}
