// Proof that whoever has a new key registered also holds its private half: a JWT that shows the key (RFC 7515 §4.1.3) and is signed by
// it (RFC 7800 §3.1).
import { CLIENT_ASSERTION_LEEWAY, parseClientJwk } from './client-assertion.ts';
import { verifyJws } from './jws-signature.ts';
import { parseCompactJws } from './jws.ts';
import { isNumericDate } from './numeric-date.ts';
import { isJsonObject, type JsonObject, parseJsonObject } from './strict-json.ts';

/** RFC 8725 §3.11: no other JWT passes for one. */
export const NEW_KEY_PROOF_TYP = 'new-key+jwt';
/** Seconds after which a proof is too old, give or take what clocks may differ. */
export const NEW_KEY_PROOF_MAX_AGE = 300;

const MAX_BYTES = 16_384;

export type NewKeyProofFault = 'malformed' | 'bad_key' | 'wrong_claims' | 'outdated' | 'bad_signature';

export type NewKeyProofResult =
  | { readonly ok: true; readonly jwk: JsonObject; readonly thumbprint: string }
  | { readonly ok: false; readonly fault: NewKeyProofFault };

export interface NewKeyProofExpectation {
  readonly issuer: string;
  readonly clientId: string;
  /** Epoch seconds. */
  readonly now: number;
}

/** The key that a proof shows, once its signature holds: made by this client, for this issuer, a moment ago. Never throws. */
export function readNewKeyProof(text: string, expected: NewKeyProofExpectation): NewKeyProofResult {
  const jws = parseCompactJws(text, MAX_BYTES);
  if (!jws.ok || jws.header.typ !== NEW_KEY_PROOF_TYP) return refuse('malformed');
  const jwk = jws.header['jwk'];
  if (!isJsonObject(jwk)) return refuse('bad_key');
  const parsed = parseClientJwk({ ...jwk, alg: jwk['alg'] ?? jws.header.alg }, false);
  if (!parsed.ok) return refuse('bad_key');
  const claims = parseJsonObject(jws.payload, { maxDepth: 4, maxBytes: MAX_BYTES });
  if (!claims.ok) return refuse('malformed');
  const { iss, aud, iat } = claims.value;
  if (iss !== expected.clientId || aud !== expected.issuer || !isNumericDate(iat))
    return refuse('wrong_claims');
  const oldest = expected.now - NEW_KEY_PROOF_MAX_AGE - CLIENT_ASSERTION_LEEWAY;
  if (iat < oldest || iat > expected.now + CLIENT_ASSERTION_LEEWAY) return refuse('outdated');
  if (!verifyJws(jws, parsed.key.key)) return refuse('bad_signature');
  return { ok: true, jwk: { ...jwk, alg: parsed.key.key.alg }, thumbprint: parsed.key.thumbprint };
}

/**
 * The thumbprint of the new key that a client assertion names (`cnf.jkt`, RFC 7800 §3.1, RFC 9449 §6.1): its signer lets this key, and no
 * other, take the place of its own. Undefined where it names none. Believe it only of an assertion that was verified.
 */
export function newKeyNamedIn(assertion: string): string | undefined {
  const jws = parseCompactJws(assertion, MAX_BYTES);
  const claims = jws.ok && parseJsonObject(jws.payload, { maxDepth: 8, maxBytes: MAX_BYTES });
  const cnf = claims && claims.ok && Object.hasOwn(claims.value, 'cnf') ? claims.value['cnf'] : undefined;
  if (!isJsonObject(cnf) || !Object.hasOwn(cnf, 'jkt')) return undefined;
  const { jkt } = cnf;
  return typeof jkt === 'string' ? jkt : undefined;
}

function refuse(fault: NewKeyProofFault): { readonly ok: false; readonly fault: NewKeyProofFault } {
  return { ok: false, fault };
}
