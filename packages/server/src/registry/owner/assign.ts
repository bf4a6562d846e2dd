import type { Actor } from '../../audit/change.ts';
import type { IdentityRecord, Owner } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import type { Tell } from '../change-rules.ts';
import { sameHandle } from '../directory/handle.ts';
import { requirePolicies } from '../policy/require-policies.ts';
import { changeIdentity, type IdentityChange } from '../identity.ts';
import type { OwnerDeps } from './acceptance.ts';
import { requireLivingOwner } from './living-owner.ts';
import { offerIdentity } from './offer.ts';
import { settleOwner } from './take-over.ts';

export interface OwnedChange extends IdentityChange {
  /** The owner is named on purpose: whoever stands in and is named is in charge from then on. */
  readonly confirms?: boolean;
}

/**
 * Changes an identity; where somebody has to accept first, another accountable person is offered it, and all else is changed.
 * The same record when there is nothing to change.
 */
export async function changeOwnedIdentity(
  deps: OwnerDeps,
  stores: Stores,
  tell: Tell,
  record: IdentityRecord,
  change: OwnedChange,
  by: Actor,
): Promise<IdentityRecord> {
  const next = await changeOwned(deps, stores, tell, record, change, by);
  if (next !== record) await requirePolicies(deps, stores, tell, next, { identity: { before: record } });
  return next;
}

async function changeOwned(
  deps: OwnerDeps,
  stores: Stores,
  tell: Tell,
  record: IdentityRecord,
  { confirms = false, ...change }: OwnedChange,
  by: Actor,
): Promise<IdentityRecord> {
  const { owner } = change;
  if (owner === undefined) return await changeIdentity(deps, stores, tell, record, change, by);
  const another = !sameHandle(owner.person, record.owner.person);
  if (!another && !confirms) {
    await requireLivingOwner(stores, owner, record.owner);
    return await changeIdentity(deps, stores, tell, record, change, by);
  }
  if (await deps.ownerAcceptance(stores)) {
    const kept: Owner = { ...owner, person: record.owner.person };
    await requireLivingOwner(stores, kept, record.owner);
    const next = await changeIdentity(deps, stores, tell, record, { ...change, owner: kept }, by);
    if (another) await offerIdentity(deps, stores, tell, next, { to: owner.person, reason: undefined, by });
    return next;
  }
  const next = await changeIdentity(deps, stores, tell, record, { ...change, owner: undefined }, by);
  return await settleOwner(deps, stores, tell, next, owner, by);
}
