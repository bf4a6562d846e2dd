import type { Actor } from '../../audit/change.ts';
import type { IdentityRecord, Owner } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import type { ApprovalDeps } from '../approval/request.ts';
import type { Tell } from '../change-rules.ts';
import { sameHandle } from '../directory/handle.ts';
import { changeIdentity } from '../identity.ts';
import { withdrawOffers } from './offer-state.ts';
import { clockView } from './view.ts';
import { requireLivingOwner } from './living-owner.ts';

/**
 * Makes the owner what is said, at once: whoever is named is accountable from now on, no clock runs any more, and no offer
 * is open. The same record when it is so already.
 */
export async function settleOwner(
  deps: ApprovalDeps,
  stores: Stores,
  tell: Tell,
  identity: IdentityRecord,
  owner: Owner,
  by: Actor,
): Promise<IdentityRecord> {
  await requireLivingOwner(stores, owner, identity.owner);
  const next = await changeIdentity(deps, stores, tell, identity, { owner }, by);
  await stopClock(stores, tell, next);
  await withdrawOffers(deps, stores, tell, next);
  return next;
}

/** The owner when `handle` becomes accountable and nothing else is said: nobody is their own backup. */
export async function ownerWith(
  stores: Pick<Stores, 'ownershipClocks'>,
  identity: IdentityRecord,
  handle: string,
): Promise<Owner> {
  const clock = await stores.ownershipClocks.ofIdentity(identity.id);
  // Who stood in only is the backup again.
  const backup = identity.owner.backup ?? clock?.interim;
  const own = backup !== undefined && sameHandle(backup, handle);
  return { ...identity.owner, person: handle, backup: own ? undefined : backup };
}

/** Nothing when none runs. */
export async function stopClock(
  stores: Pick<Stores, 'ownershipClocks'>,
  tell: Tell,
  identity: IdentityRecord,
): Promise<void> {
  const clock = await stores.ownershipClocks.ofIdentity(identity.id);
  if (clock === undefined) return;
  await stores.ownershipClocks.stop(clock);
  tell({
    type: 'ownership.settled',
    resource: identity.id,
    before: clockView(clock, identity),
    after: { client_id: identity.clientId, owner: identity.owner.person },
  });
}
