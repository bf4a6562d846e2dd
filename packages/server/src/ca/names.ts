import { type TrustDomain, spiffeIdOf, type SpiffeId } from '@countersign/protocol';
import type { IdentityRecord } from '../storage/identities.ts';

/**
 * What certificates call an identity: its kind and its client_id below the trust domain. Neither ever changes, and a client_id is never
 * given out again, so that the name means one machine for ever.
 */
export function spiffeIdOfIdentity(
  trustDomain: TrustDomain,
  { kind, clientId }: Pick<IdentityRecord, 'kind' | 'clientId'>,
): SpiffeId {
  const id = spiffeIdOf(trustDomain, kind, clientId);
  if (id === undefined) throw new TypeError('a client_id that cannot stand in a SPIFFE ID');
  return id;
}
