// What the two methods of draft-ietf-oauth-spiffe-client-auth share: whose SPIFFE ID it is (§3).
import type { SpiffeId } from '@countersign/protocol';
import { credentialFault } from '../../registry/effective-access.ts';
import type { CredentialRecord } from '../../storage/credentials.ts';
import { Refusal } from '../refusal.ts';

/**
 * The credential that names it, byte by byte; of several the one that may be used. Undefined for a client that does not exist.
 * Throws `Refusal` where none does.
 */
export function credentialNaming(
  { text }: SpiffeId,
  credentials: readonly CredentialRecord[],
  now: number,
): CredentialRecord | undefined {
  if (credentials.length === 0) return undefined;
  const named = credentials.filter(
    ({ material }) => material.type === 'spiffe' && material.spiffeId === text,
  );
  const matched = named.find((each) => credentialFault(each, now) === undefined) ?? named[0];
  if (matched === undefined) throw new Refusal('svid_id_mismatch');
  return matched;
}
