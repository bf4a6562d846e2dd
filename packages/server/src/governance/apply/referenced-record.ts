import { RegistryRefusal } from '../../registry/refusal.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { ResourceServerRecord } from '../../storage/resource-servers.ts';
import type { Stores } from '../../storage/storage.ts';
import type { TrustedIssuerRecord } from '../../storage/trusted-issuers.ts';

/** The identity that a document means by an id or a client_id. */
export async function identityOf(
  stores: Pick<Stores, 'identities'>,
  ref: string,
  pointer: string = '/identity',
): Promise<IdentityRecord> {
  const record = await findIdentity(stores, ref);
  if (record !== undefined) return record;
  throw new RegistryRefusal('unknown_reference', `there is no identity ${ref}`, { pointer });
}

export async function findIdentity(
  stores: Pick<Stores, 'identities'>,
  ref: string,
): Promise<IdentityRecord | undefined> {
  // Documents name client_ids: what cannot be an id is not looked for as one.
  const byId = ref.startsWith('idn_') ? await stores.identities.byId(ref) : undefined;
  return byId ?? (await stores.identities.byClientId(ref));
}

/** The resource server that a document means by an id or an identifier. */
export async function resourceServerOf(
  stores: Pick<Stores, 'resourceServers'>,
  ref: string,
): Promise<ResourceServerRecord> {
  const byIdentifier = await stores.resourceServers.byIdentifier(ref);
  if (byIdentifier !== undefined) return byIdentifier;
  const byId = await stores.resourceServers.byId(ref);
  if (byId?.state === 'active') return byId;
  throw new RegistryRefusal('unknown_reference', `there is no resource server ${ref}`, {
    pointer: '/resource_server',
  });
}

/** In another order they are the same. */
export function sameMembers(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((each) => right.includes(each));
}

/** By its id or its issuer, as a document names it. */
export async function trustedIssuerOf(stores: Stores, ref: string): Promise<TrustedIssuerRecord> {
  const byIssuer = await stores.trustedIssuers.byIssuer(ref);
  const record = byIssuer ?? (await stores.trustedIssuers.byId(ref));
  if (record !== undefined && record.state !== 'deleted') return record;
  throw new RegistryRefusal('unknown_reference', `there is no trusted issuer ${ref}`, {
    pointer: '/trusted_issuer',
  });
}
