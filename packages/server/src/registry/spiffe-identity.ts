import { spiffeIdOf, type SpiffeIdText, type TrustDomain } from '@countersign/protocol';
import type { IdentityRecord } from '../storage/identities.ts';

/** What an identity is called in its trust domain: never given to another, as its client_id. */
export function spiffeIdOfIdentity(
  trustDomain: TrustDomain,
  { kind, clientId }: Pick<IdentityRecord, 'kind' | 'clientId'>,
): SpiffeIdText {
  const id = spiffeIdOf(trustDomain, kind, clientId);
  // A client_id is of letters, digits, - and _, all of which may stand in a path.
  if (id === undefined) throw new Error(`the client_id ${clientId} has no place in a SPIFFE ID`);
  return id.text;
}
