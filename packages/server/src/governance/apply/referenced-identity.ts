import { RegistryRefusal } from '../../registry/refusal.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';

/** The identity that a document means by an id or a client_id. */
export async function identityOf(stores: Pick<Stores, 'identities'>, ref: string): Promise<IdentityRecord> {
  const record = await findIdentity(stores, ref);
  if (record !== undefined) return record;
  throw new RegistryRefusal('unknown_reference', `there is no identity ${ref}`, { pointer: '/identity' });
}

export async function findIdentity(
  stores: Pick<Stores, 'identities'>,
  ref: string,
): Promise<IdentityRecord | undefined> {
  return (await stores.identities.byId(ref)) ?? (await stores.identities.byClientId(ref));
}
