import type { IdentityRecord } from '../../storage/identities.ts';
import type { OwnershipOfferRecord } from '../../storage/ownership-offers.ts';
import type { Stores } from '../../storage/storage.ts';
import type { RuleDeps, Tell } from '../change-rules.ts';
import { offerView } from './view.ts';

type Verb = 'escalated' | 'accepted' | 'declined' | 'withdrawn' | 'lost';

/** Writes the next version of an offer, with its event. `version_conflict` when somebody else decided meanwhile. */
export async function changeOffer(
  deps: RuleDeps,
  stores: Pick<Stores, 'ownershipOffers'>,
  tell: Tell,
  identity: Pick<IdentityRecord, 'clientId'>,
  before: OwnershipOfferRecord,
  change: Partial<OwnershipOfferRecord>,
  verb: Verb,
): Promise<OwnershipOfferRecord> {
  const next = { ...before, ...change, updatedAt: deps.clock.now(), version: before.version + 1 };
  await stores.ownershipOffers.replace(next);
  tell({
    type: `ownership_offer.${verb}`,
    resource: before.id,
    before: offerView(before, identity.clientId),
    after: offerView(next, identity.clientId),
  });
  return next;
}

export async function openOfferOf(
  stores: Pick<Stores, 'ownershipOffers'>,
  identityId: string,
): Promise<OwnershipOfferRecord | undefined> {
  return (await stores.ownershipOffers.list({ identityId, state: 'open' }, { limit: 1 })).items[0];
}

/** What is offered no longer: somebody became accountable in another way, or it is offered to somebody else. */
export async function withdrawOffers(
  deps: RuleDeps,
  stores: Pick<Stores, 'ownershipOffers'>,
  tell: Tell,
  identity: IdentityRecord,
): Promise<void> {
  const offer = await openOfferOf(stores, identity.id);
  if (offer !== undefined)
    await changeOffer(deps, stores, tell, identity, offer, { state: 'withdrawn' }, 'withdrawn');
}
