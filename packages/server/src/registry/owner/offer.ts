import type { Actor } from '../../audit/change.ts';
import { newId } from '../../ids.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { OfferStep, OwnershipOfferRecord } from '../../storage/ownership-offers.ts';
import type { Stores } from '../../storage/storage.ts';
import type { RuleDeps, Tell } from '../change-rules.ts';
import { sameHandle } from '../directory/handle.ts';
import { hasEnded } from '../identity.ts';
import { RegistryRefusal } from '../refusal.ts';
import type { OwnerDeps } from './acceptance.ts';
import { requireLivingOwner } from './living-owner.ts';
import { leadOf, managerOf, whoIs } from './named.ts';
import { changeOffer, openOfferOf, withdrawOffers } from './offer-state.ts';
import { ownerWith, settleOwner } from './take-over.ts';
import { offerView } from './view.ts';

/** How long each of those it is offered to has. */
export const OFFER_STEP_MS: number = 7 * 86_400_000;

export interface NewOffer {
  readonly to: string;
  readonly reason: string | undefined;
  readonly by: Actor;
}

/**
 * Offers an identity. Where nobody has to accept it is taken over at once. The open offer, and no event, when it is offered to
 * them already; an offer to somebody else is withdrawn.
 */
export async function offerIdentity(
  deps: OwnerDeps,
  stores: Stores,
  tell: Tell,
  identity: IdentityRecord,
  asked: NewOffer,
): Promise<OwnershipOfferRecord> {
  if (hasEnded(identity)) {
    throw new RegistryRefusal(
      'illegal_transition',
      `an identity that is ${identity.state} has no next owner`,
    );
  }
  await requireLivingOwner(stores, { ...identity.owner, person: asked.to }, identity.owner);
  const clock = await stores.ownershipClocks.ofIdentity(identity.id);
  if (clock === undefined && sameHandle(asked.to, identity.owner.person)) {
    throw new RegistryRefusal('illegal_transition', `${asked.to} is accountable for it already`, {
      pointer: '/to',
    });
  }
  const open = await openOfferOf(stores, identity.id);
  if (open !== undefined && sameHandle(open.to, asked.to)) return open;
  await withdrawOffers(deps, stores, tell, identity);
  const record = newOffer(deps, identity, asked, clock?.person ?? identity.owner.person);
  if (await deps.ownerAcceptance(stores)) return await insert(stores, tell, identity, record);
  const owner = await ownerWith(stores, identity, asked.to);
  await settleOwner(deps, stores, tell, identity, owner, asked.by);
  return await insert(stores, tell, identity, {
    ...record,
    state: 'accepted',
    decidedAt: record.createdAt,
  });
}

function newOffer(
  deps: RuleDeps,
  identity: IdentityRecord,
  { to, reason, by }: NewOffer,
  from: string,
): OwnershipOfferRecord {
  const now = deps.clock.now();
  return {
    id: newId('off', deps.random),
    identityId: identity.id,
    from,
    to,
    candidate: to,
    step: 'person',
    state: 'open',
    reason,
    offeredBy: by.identity,
    dueAt: now + OFFER_STEP_MS,
    decidedBy: undefined,
    decidedAt: undefined,
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
}

async function insert(
  stores: Pick<Stores, 'ownershipOffers'>,
  tell: Tell,
  identity: IdentityRecord,
  record: OwnershipOfferRecord,
): Promise<OwnershipOfferRecord> {
  await stores.ownershipOffers.insert(record);
  tell({ type: 'ownership_offer.created', resource: record.id, after: offerView(record, identity.clientId) });
  return record;
}

/** Whether a handle means the person who decides: whoever signed in may be named in more than one way. */
export type Means = (handle: string) => Promise<boolean>;

/** Who accepts becomes accountable, and nobody else. */
export async function acceptOffer(
  deps: OwnerDeps,
  stores: Stores,
  tell: Tell,
  offer: OwnershipOfferRecord,
  means: Means,
  by: Actor,
): Promise<OwnershipOfferRecord> {
  const who = await requireCandidate(offer, means);
  const identity = await identityOf(stores, offer);
  if (hasEnded(identity)) {
    throw new RegistryRefusal('illegal_transition', `the identity is ${identity.state}`);
  }
  const decided = { state: 'accepted', decidedBy: who, decidedAt: deps.clock.now() } as const;
  const next = await changeOffer(deps, stores, tell, identity, offer, decided, 'accepted');
  const owner = await ownerWith(stores, identity, who);
  await settleOwner(deps, stores, tell, identity, owner, by);
  return next;
}

/** Whoever was accountable stays so. */
export async function declineOffer(
  deps: RuleDeps,
  stores: Stores,
  tell: Tell,
  offer: OwnershipOfferRecord,
  means: Means,
  reason: string | undefined,
): Promise<OwnershipOfferRecord> {
  const who = await requireCandidate(offer, means);
  const identity = await identityOf(stores, offer);
  const decided = { state: 'declined', decidedBy: who, decidedAt: deps.clock.now() } as const;
  const why = reason === undefined ? {} : { reason };
  return await changeOffer(deps, stores, tell, identity, offer, { ...decided, ...why }, 'declined');
}

async function requireCandidate(offer: OwnershipOfferRecord, means: Means): Promise<string> {
  if (offer.state !== 'open') throw new RegistryRefusal('illegal_transition', `it is ${offer.state} already`);
  for (const handle of [offer.candidate, offer.to]) if (await means(handle)) return handle;
  throw new RegistryRefusal('not_offered', 'it is offered to somebody else');
}

async function identityOf(
  stores: Pick<Stores, 'identities'>,
  offer: OwnershipOfferRecord,
): Promise<IdentityRecord> {
  const identity = await stores.identities.byId(offer.identityId);
  if (identity === undefined) throw new Error('an offer of no identity');
  return identity;
}

const NEXT: { readonly [step in OfferStep]: readonly OfferStep[] } = {
  person: ['manager', 'team_lead'],
  manager: ['team_lead'],
  team_lead: [],
};

/** Nobody answered in time: it goes to their manager, then to the lead of the identity's team, and then it is lost. */
export async function escalateOffer(
  deps: RuleDeps,
  stores: Stores,
  tell: Tell,
  offer: OwnershipOfferRecord,
): Promise<OwnershipOfferRecord> {
  const identity = await identityOf(stores, offer);
  if (hasEnded(identity))
    return await changeOffer(deps, stores, tell, identity, offer, { state: 'withdrawn' }, 'withdrawn');
  const dueAt = deps.clock.now() + OFFER_STEP_MS;
  for (const step of NEXT[offer.step]) {
    const candidate = await candidateAt(stores, identity, offer, step);
    if (candidate === undefined || sameHandle(candidate, offer.to)) continue;
    return await changeOffer(deps, stores, tell, identity, offer, { step, candidate, dueAt }, 'escalated');
  }
  return await changeOffer(deps, stores, tell, identity, offer, { state: 'lost' }, 'lost');
}

async function candidateAt(
  stores: Stores,
  identity: IdentityRecord,
  offer: OwnershipOfferRecord,
  step: OfferStep,
): Promise<string | undefined> {
  if (step === 'manager') return (await managerOf(stores, await stores.people.byHandle(offer.to)))?.handle;
  const team = await whoIs(stores, identity.owner.team);
  return team?.kind === 'team' ? (await leadOf(stores, team.team))?.handle : undefined;
}
