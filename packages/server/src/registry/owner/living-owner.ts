import type { IdentityRecord, Owner } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import { sameHandle } from '../directory/handle.ts';
import { RegistryRefusal } from '../refusal.ts';
import { hasRunOut } from './clock.ts';

/**
 * Refuses an owner or backup who has left, unless it is so already. Whom the directory does not know is taken. Whoever is taken
 * does not leave before the caller's transaction ends.
 */
export async function requireLivingOwner(
  stores: Pick<Stores, 'people'>,
  owner: Owner,
  before?: Owner,
): Promise<void> {
  if (before === undefined || !sameHandle(owner.person, before.person))
    await requireLives(stores, owner.person, '/owner/person');
  const { backup } = owner;
  if (backup !== undefined && (before?.backup === undefined || !sameHandle(backup, before.backup)))
    await requireLives(stores, backup, '/owner/backup');
}

async function requireLives(stores: Pick<Stores, 'people'>, handle: string, pointer: string): Promise<void> {
  const person = await stores.people.holdByHandle(handle);
  if (person?.status !== 'left') return;
  throw new RegistryRefusal('owner_left', `${person.handle} has left`, { pointer, existing: person.id });
}

/** Refuses to put to work what nobody answers for: name an owner first. */
export async function requireAnswered(
  stores: Pick<Stores, 'people' | 'ownershipClocks'>,
  identity: IdentityRecord,
): Promise<void> {
  await requireLives(stores, identity.owner.person, '/owner/person');
  const clock = await stores.ownershipClocks.ofIdentity(identity.id);
  if (clock === undefined || !hasRunOut(clock)) return;
  throw new RegistryRefusal('owner_left', `${clock.person} has left, and nobody has taken it over since`);
}
