import type { AccessRecord } from '../storage/access.ts';
import type { IdentityRecord } from '../storage/identities.ts';
import type { ResourceServerRecord } from '../storage/resource-servers.ts';
import type { Stores } from '../storage/storage.ts';

/** The two ends of an access. */
export interface AccessEnds {
  readonly identity: IdentityRecord;
  readonly resourceServer: ResourceServerRecord;
}

/** What an identity has, in force or suspended. */
export async function heldOf(
  { access }: Pick<Stores, 'access'>,
  identityId: string,
): Promise<readonly AccessRecord[]> {
  const { items } = await access.list({ identityId, state: 'suspended' }, { limit: 1000 });
  return [...(await access.activeOfIdentity(identityId)), ...items];
}
