import type { Actor, ChangeEvent } from '../audit/change.ts';
import type { Stores } from '../storage/storage.ts';
import { isAuthority, partyOf } from './approval/party.ts';

/** Keeps who made each credential of a change, in its transaction: whoever uses it may act for them (same-human.ts). */
export async function keepCredentialMakers(
  stores: Pick<Stores, 'credentialMakers'>,
  actor: Actor,
  events: readonly ChangeEvent[],
): Promise<void> {
  if (isAuthority(actor)) return;
  for (const { type, resource } of events) {
    if (type === 'credential.created') await stores.credentialMakers.note(resource, partyOf(actor));
  }
}
