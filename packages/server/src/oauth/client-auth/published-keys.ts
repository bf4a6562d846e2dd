// The keys that a client publishes at its `jwks_uri` (RFC 7591 §2): RFC 7523 §3, 9 and RFC 7517 §5.
import {
  candidateKeys,
  type ClientAssertion,
  type ClientAssertionKey,
  isSignedBy,
  jwkThumbprint,
  toPublicJwk,
  type VerificationKey,
} from '@countersign/protocol';
import type { JwksCache } from '../../outbound/jwks-cache.ts';
import { OutboundRefusal } from '../../outbound/outbound-refusal.ts';
import type { CredentialMaterial, CredentialRecord } from '../../storage/credentials.ts';
import { Refusal } from '../refusal.ts';

/** Of keys that no header tells apart so many are tried: each costs a verification, and anybody may ask for it. */
export const MOST_TRIED = 8;

type KeyMaterial = Extract<CredentialMaterial, { type: 'private_key_jwt' }>;

/** Live credentials whose keys are published elsewhere; for others nothing is fetched. `now`: epoch ms. */
export function publishing(
  credentials: readonly CredentialRecord[],
  now: number,
): readonly CredentialRecord[] {
  return credentials.filter(
    ({ material, state, notBeforeAt, expiresAt }) =>
      material.type === 'private_key_jwt' &&
      material.jwksUri !== undefined &&
      state === 'active' &&
      notBeforeAt <= now &&
      expiresAt > now,
  );
}

/**
 * The credential that publishes the key which made the signature. Throws a `Refusal` where none does, or where the keys
 * cannot be had: then nobody is authenticated.
 */
export async function publisherOf(
  jwks: JwksCache,
  assertion: ClientAssertion,
  credentials: readonly CredentialRecord[],
  now: number,
): Promise<CredentialRecord> {
  let unavailable = false;
  let known = false;
  for (const credential of credentials) {
    const { jwksUri: url, allowRs256 } = credential.material as KeyMaterial;
    const source = {
      kind: 'jwks',
      url: url as string,
      rsaAlgorithm: allowRs256 === true ? 'RS256' : 'PS256',
    } as const;
    let proved = false;
    const pick = (keys: readonly VerificationKey[]): VerificationKey | undefined => {
      const allowed = keys.filter(({ alg }) => alg !== 'RS256' || allowRs256 === true).map(asClientKey);
      const candidates = candidateKeys(assertion, allowed).slice(0, MOST_TRIED);
      known ||= candidates.length > 0;
      const signer = candidates.find(({ key }) => isSignedBy(assertion, key));
      proved = signer !== undefined;
      return signer?.key;
    };
    try {
      await jwks.find(source, pick, now);
    } catch (error) {
      if (!(error instanceof OutboundRefusal)) throw error;
      unavailable = true;
    }
    if (proved) return credential;
  }
  if (unavailable) throw new Refusal('client_assertion_keys_unavailable');
  throw new Refusal(known ? 'client_assertion_signature' : 'client_assertion_key_unknown');
}

/** As long as a key is in the cache of sets. */
const described = new WeakMap<VerificationKey, ClientAssertionKey>();

function asClientKey(key: VerificationKey): ClientAssertionKey {
  let found = described.get(key);
  if (found === undefined) {
    const thumbprint = jwkThumbprint(toPublicJwk(key.keyObject, '', key.alg));
    found = { key, thumbprint, x5tS256: undefined };
    described.set(key, found);
  }
  return found;
}
