// A DPoP proof checked on node:crypto: RFC 9449 §4.3, §11.1.
import { createHash } from 'node:crypto';
import {
  type DpopExpectation,
  type DpopProof,
  type DpopProofResult,
  matchDpopProof,
  readDpopProof,
  usedDpopProofText,
  usedDpopProofUntil,
} from './dpop-proof.ts';
import { verifyJws } from './jws-signature.ts';
import { importPublicJwk, jwkThumbprint } from './verification-key.ts';

/** Reads and checks one proof. Never throws. Nothing in it but the key it is signed with is believed before the signature. */
export function checkDpopProof(text: string, expected: DpopExpectation): DpopProofResult {
  const read = readDpopProof(text);
  if (!read.ok) return read;
  const { unproven } = read;
  const key = importPublicJwk(unproven.key);
  if (key === undefined) return { ok: false, fault: 'bad_key' };
  if (!verifyJws(unproven.jws, key)) return { ok: false, fault: 'bad_signature' };
  const { accessToken, ...rest } = expected;
  const ath = accessToken === undefined ? undefined : accessTokenHash(accessToken);
  return matchDpopProof(unproven, { ...rest, ath, jkt: jwkThumbprint(unproven.jwk) });
}

/**
 * Once per key and URI (RFC 9449 §11.1): what a proof that was taken at `uri` is remembered by, and until when (epoch
 * seconds): its age refuses it from then on. All who check proofs against the same memory have to name it alike.
 */
export function dpopProofUse(proof: DpopProof, uri: string): { readonly id: string; readonly until: number } {
  const id = createHash('sha256').update(usedDpopProofText(proof, uri)).digest('base64url');
  return { id, until: usedDpopProofUntil(proof) };
}

/** The `ath` claim for an access token: RFC 9449 §4.2. */
export function accessTokenHash(accessToken: string): string {
  return createHash('sha256').update(accessToken, 'latin1').digest('base64url');
}
