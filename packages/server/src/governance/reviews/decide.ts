import type { Actor } from '../../audit/change.ts';
import { changeAccess, revokeAccess } from '../../registry/access.ts';
import { type AdministratorDeps, keepAdministered } from '../../registry/administrators.ts';
import type { ApprovalDeps } from '../../registry/approval/request.ts';
import type { Tell } from '../../registry/change-rules.ts';
import { handleKey } from '../../registry/directory/handle.ts';
import { RegistryRefusal } from '../../registry/refusal.ts';
import { sameHuman } from '../../registry/same-human.ts';
import { requestersOf } from '../../registry/suspend-access.ts';
import type { ReviewItemRecord, ReviewVerdict } from '../../storage/review-items.ts';
import type { ReviewRecord } from '../../storage/reviews.ts';
import type { Stores } from '../../storage/storage.ts';
import { endTokens, type TokenDeps } from './end-tokens.ts';
import { type Deciding, replaceItem } from './item.ts';
import { FIRST_CHECK_MS } from './remediation.ts';
import { type Reviewer, reviewerFault, reviewerKey } from './reviewer.ts';
import { reviewUses } from './use.ts';

export type DecideDeps = ApprovalDeps & AdministratorDeps & TokenDeps;

/** How often one item is handed on: a round of people who each name the next decides nothing. */
const MOST_HANDED_ON = 5;

export interface Said {
  readonly decision: 'keep' | 'reduce' | 'revoke' | 'reassign';
  /** Of the access that was read. */
  readonly version: number;
  /** With `reduce`. */
  readonly scopes: readonly string[] | undefined;
  /** With `reassign`: a handle. */
  readonly to: string | undefined;
  readonly comment: string | undefined;
  readonly person: Reviewer;
  readonly actor: Actor;
}

/**
 * Notes what a person decided and carries it out, in the caller's transaction. Of two at one moment the second finds the first.
 * @throws RegistryRefusal `content_changed` when the access is not what was read: see refreshItem
 */
export async function decideItem(
  deps: DecideDeps,
  stores: Stores,
  tell: Tell,
  deciding: Deciding,
  said: Said,
): Promise<ReviewItemRecord> {
  const { review, item, access, ends } = deciding;
  requireOpen(review, item);
  const admin = said.decision === 'reassign' && said.person.roles.includes('admin');
  const fault = await reviewerFault(stores, review, item, ends.identity.clientId, said.person);
  if (fault !== undefined && !admin) throw fault;
  if (said.decision === 'reassign') return await handOn(deps, stores, tell, deciding, said);
  if (access.version !== said.version || access.version !== item.accessVersion || access.state !== 'active') {
    throw new RegistryRefusal('content_changed', 'the access was changed since: read the item again', {
      pointer: '/version',
    });
  }
  // What is kept is this version, and no other that is written at the same moment.
  await stores.access.hold(access);
  return await keepAdministered(deps, stores, ends.identity.id, async () => {
    const verdict = await verdictOf(deps, stores, deciding, said);
    await carryOut(deps, stores, tell, deciding, said);
    const next = await settled(deps, stores, tell, deciding, said, verdict);
    return await replaceItem(deps, stores, tell, item, next, 'review_item.decided', said.comment);
  });
}

function requireOpen(review: ReviewRecord, item: ReviewItemRecord): void {
  if (review.state !== 'open' && review.state !== 'overdue')
    throw new RegistryRefusal('illegal_transition', `the campaign is ${review.state}`);
  if (item.state !== 'pending')
    throw new RegistryRefusal('illegal_transition', `it is decided already: ${item.state}`);
}

async function carryOut(
  deps: DecideDeps,
  stores: Stores,
  tell: Tell,
  { access, ends }: Deciding,
  { decision, scopes = [], actor }: Said,
): Promise<void> {
  if (decision === 'keep') return;
  if (decision === 'revoke') {
    await revokeAccess(deps, stores, tell, ends, access);
    return;
  }
  const more = scopes.filter((scope) => !access.scopes.includes(scope));
  if (more.length > 0 || scopes.length >= access.scopes.length) {
    throw new RegistryRefusal('unknown_scope', 'what is left has to be some of its scopes, and not all', {
      pointer: '/scopes',
    });
  }
  await changeAccess(deps, stores, tell, ends, access, { scopes }, actor);
}

/** What was taken away is not only noted: tokens that hold it end, and reports are watched from then on. */
async function settled(
  deps: DecideDeps,
  stores: Stores,
  tell: Tell,
  { review, item, ends }: Deciding,
  { decision, actor }: Said,
  verdict: ReviewVerdict,
): Promise<ReviewItemRecord> {
  const now = deps.clock.now();
  const decided = { ...item, verdict, decidedAt: now };
  if (decision === 'keep') return { ...decided, state: 'kept' };
  const { cutoffId, effectiveAt } = await endTokens(deps, stores, tell, {
    ends,
    how: review.tokens,
    reason: `review ${review.name}: ${decision}`,
    orderedBy: actor.identity,
  });
  return {
    ...decided,
    state: decision === 'reduce' ? 'reduced' : 'revoked',
    remediation: 'pending',
    cutoffId,
    effectiveAt,
    checkAt: effectiveAt + FIRST_CHECK_MS,
  };
}

async function verdictOf(
  deps: DecideDeps,
  stores: Stores,
  { review, access }: Deciding,
  { decision, scopes, comment, person }: Said,
): Promise<ReviewVerdict> {
  const uses = await reviewUses(stores, [access], deps.clock.now(), review.useWithinMs);
  return {
    person: person.handle,
    issuer: person.issuer,
    subject: person.subject,
    roles: [...person.roles],
    comment,
    scopesBefore: access.scopes,
    scopesAfter: decision === 'revoke' ? [] : (scopes ?? access.scopes),
    use: { ...uses.get(access.id) },
  };
}

async function handOn(
  deps: DecideDeps,
  stores: Stores,
  tell: Tell,
  { item, review, ends }: Deciding,
  { to = '', comment, person }: Said,
): Promise<ReviewItemRecord> {
  if (item.handedOn >= MOST_HANDED_ON)
    throw new RegistryRefusal('limit_reached', `an item is handed on at most ${MOST_HANDED_ON} times`);
  if (handleKey(to) === handleKey(person.handle) && item.reviewer === reviewerKey(`person:${to}`))
    throw new RegistryRefusal('illegal_transition', 'it is asked of you already');
  const known = await stores.people.holdByHandle(to);
  if (known?.status === 'left')
    throw new RegistryRefusal('owner_left', `${known.handle} has left`, { pointer: '/to' });
  const barred = [...item.requesters];
  if (review.notOwner) barred.push({ kind: 'machine', clientId: ends.identity.clientId });
  for (const party of barred) {
    if (await sameHuman(stores, { kind: 'named', handle: to }, party))
      throw new RegistryRefusal('self_approval', `${to} may not decide on this one`, { pointer: '/to' });
  }
  const next = {
    ...item,
    reviewer: reviewerKey(`person:${known?.handle ?? to}`),
    handedOn: item.handedOn + 1,
  };
  return await replaceItem(deps, stores, tell, item, next, 'review_item.reassigned', comment);
}

/**
 * Brings an undecided item to what its access is now, so that it can be read and decided on again; of one that is not in force
 * any more there is nothing to decide. The same record, and no event, when it is that already.
 */
export async function refreshItem(
  deps: DecideDeps,
  stores: Stores,
  tell: Tell,
  { review, item, access }: Deciding,
): Promise<ReviewItemRecord> {
  if (item.state !== 'pending' || (review.state !== 'open' && review.state !== 'overdue')) return item;
  if (access.state !== 'active')
    return await replaceItem(deps, stores, tell, item, { ...item, state: 'gone' }, 'review_item.gone');
  if (access.version === item.accessVersion) return item;
  // Who asked for what it is now decides on it no more than who asked for what it was.
  const known = new Map(
    [...item.requesters, ...(await requestersOf(stores, access))].map((party) => [
      JSON.stringify(party),
      party,
    ]),
  );
  const next = { ...item, accessVersion: access.version, requesters: [...known.values()] };
  return await replaceItem(deps, stores, tell, item, next, 'review_item.refreshed');
}
