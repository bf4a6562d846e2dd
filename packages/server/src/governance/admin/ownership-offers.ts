import type { OwnerDeps } from '../../registry/owner/acceptance.ts';
import { acceptOffer, declineOffer, type Means, offerIdentity } from '../../registry/owner/offer.ts';
import { changeOffer } from '../../registry/owner/offer-state.ts';
import { type OfferView, offerView } from '../../registry/owner/view.ts';
import { RegistryRefusal } from '../../registry/refusal.ts';
import { entriesOf } from '../../registry/directory/entries-of.ts';
import { sameHandle } from '../../registry/directory/handle.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { OwnershipOfferRecord } from '../../storage/ownership-offers.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import { type AdminPerson, requirePeople } from './admin.ts';
import { pageOf, readPosition } from './cursor.ts';
import type { NounHandlers } from './endpoint.ts';
import { findIdentity, identitiesOf, identityIdOf, required } from './find-record.ts';

export interface OwnershipOfferDeps extends OwnerDeps {
  readonly storage: Pick<Storage, 'ownershipOffers' | 'identities'>;
}

export function ownershipOfferHandlers(deps: OwnershipOfferDeps): NounHandlers<'ownership-offers'> {
  const { storage } = deps;
  return {
    'ownership-offers.create': {
      kind: 'write',
      async run({ params, body, admin }, stores, tell) {
        const identity = required(await findIdentity(stores, params.id), 'identity');
        const asked = { to: body.to, reason: body.reason, by: admin.actor };
        const offer = await offerIdentity(deps, stores, tell, identity, asked);
        return { ...resultOf(offer, identity), location: `/v1/ownership-offers/${offer.id}` };
      },
    },

    'ownership-offers.list': {
      kind: 'read',
      async run({ query }) {
        const { identity: who, candidate, state } = query;
        const identityId = await identityIdOf(storage, who);
        const page = { limit: query.limit, after: readPosition(query.cursor) };
        const found = await storage.ownershipOffers.list({ identityId, candidate, state }, page);
        const identityOf = await identitiesOf(storage, found.items);
        return {
          body: await pageOf(found, (offer) => offerView(offer, identityOf(offer.identityId).clientId)),
        };
      },
    },

    'ownership-offers.get': {
      kind: 'read',
      async run({ params }) {
        const { offer, identity } = await requireOffer(storage, params.id);
        return resultOf(offer, identity);
      },
    },

    'ownership-offers.accept': {
      kind: 'write',
      async run({ params, admin, requireVersion }, stores, tell) {
        const means = meaning(requirePeople(admin), stores);
        const { offer, identity } = await requireOffer(stores, params.id);
        requireVersion(offer.version);
        return resultOf(await acceptOffer(deps, stores, tell, offer, means, admin.actor), identity);
      },
    },

    'ownership-offers.decline': {
      kind: 'write',
      async run({ params, body, admin, requireVersion }, stores, tell) {
        const means = meaning(requirePeople(admin), stores);
        const { offer, identity } = await requireOffer(stores, params.id);
        requireVersion(offer.version);
        return resultOf(await declineOffer(deps, stores, tell, offer, means, body.reason), identity);
      },
    },

    'ownership-offers.withdraw': {
      kind: 'write',
      async run({ params, requireVersion }, stores, tell) {
        const { offer, identity } = await requireOffer(stores, params.id);
        requireVersion(offer.version);
        if (offer.state !== 'open')
          throw new RegistryRefusal('illegal_transition', `it is ${offer.state} already`);
        const change = { state: 'withdrawn' } as const;
        return resultOf(
          await changeOffer(deps, stores, tell, identity, offer, change, 'withdrawn'),
          identity,
        );
      },
    },
  };
}

/** Whoever signed in is meant by its own handle, and by every name that the directory has for the same human. */
function meaning(person: AdminPerson, stores: Pick<Stores, 'people'>): Means {
  return async (name) => {
    if (sameHandle(name, person.handle)) return true;
    const named = await stores.people.byHandle(name);
    return named !== undefined && (await entriesOf(stores.people, person)).some(({ id }) => id === named.id);
  };
}

async function requireOffer(
  stores: Pick<Stores, 'ownershipOffers' | 'identities'>,
  id: string,
): Promise<{ readonly offer: OwnershipOfferRecord; readonly identity: IdentityRecord }> {
  const offer = required(await stores.ownershipOffers.byId(id), 'offer');
  return { offer, identity: required(await stores.identities.byId(offer.identityId), 'identity') };
}

function resultOf(
  offer: OwnershipOfferRecord,
  { clientId }: IdentityRecord,
): { body: OfferView; version: number } {
  return { body: offerView(offer, clientId), version: offer.version };
}
