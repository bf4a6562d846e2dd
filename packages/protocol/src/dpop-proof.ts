// A DPoP proof: RFC 9449 §4.2 (what it is), §4.3 (how it is checked); URIs compared after RFC 3986 §6.2.2 and §6.2.3.
import { type JsonWebKey, type PublicJwk, readPublicJwk } from './jwk.ts';
import { type ParsedJws, parseCompactJws } from './jws.ts';
import { DPOP_ALGORITHMS } from './dpop-algorithms.ts';
import { isNumericDate } from './numeric-date.ts';
import { isJsonObject, type JsonObject, parseJsonObject } from './strict-json.ts';

export const DPOP_TYP = 'dpop+jwt';

/** Seconds for which a proof may be used, counted from its `iat`. */
export const DPOP_MAX_AGE = 60;
/** Seconds by which the holder's clock may be ahead. */
export const DPOP_MAX_AHEAD = 30;

const MAX_BYTES = 8192;
const MAX_JTI = 256;

/** A proof whose signature holds and that is for this request. Single use and nonce are for the caller to check. */
export interface DpopProof {
  /** RFC 7638 thumbprint of the key that made it. */
  readonly jkt: string;
  readonly jti: string;
  readonly iat: number;
  readonly nonce: string | undefined;
}

export type DpopProofFault =
  | 'malformed'
  | 'wrong_typ'
  | 'algorithm_not_allowed'
  | 'bad_key'
  | 'bad_signature'
  | 'bad_claims'
  | 'wrong_method'
  | 'wrong_url'
  | 'wrong_token'
  | 'outdated'
  | 'issued_in_the_future';

/** What logs and error codes of every party that takes proofs call a fault. */
export type DpopProofReason =
  | 'dpop_proof_malformed'
  | 'dpop_proof_signature'
  | 'dpop_proof_wrong_request'
  | 'dpop_proof_outdated';

export const DPOP_PROOF_REASONS: { readonly [fault in DpopProofFault]: DpopProofReason } = {
  malformed: 'dpop_proof_malformed',
  wrong_typ: 'dpop_proof_malformed',
  algorithm_not_allowed: 'dpop_proof_malformed',
  bad_key: 'dpop_proof_malformed',
  bad_claims: 'dpop_proof_malformed',
  bad_signature: 'dpop_proof_signature',
  wrong_method: 'dpop_proof_wrong_request',
  wrong_url: 'dpop_proof_wrong_request',
  wrong_token: 'dpop_proof_wrong_request',
  outdated: 'dpop_proof_outdated',
  issued_in_the_future: 'dpop_proof_outdated',
};

export interface DpopProofRefused {
  readonly ok: false;
  readonly fault: DpopProofFault;
}

export type DpopProofResult = { readonly ok: true; readonly proof: DpopProof } | DpopProofRefused;

export interface DpopExpectation {
  readonly method: string;
  /** Where the request went, as its sender sees it: any of these, each as `dpopUri` gives it. */
  readonly uris: readonly string[];
  /** Epoch seconds. */
  readonly now: number;
  /** The access token that came with it. Absent at a token endpoint, where there is none yet. */
  readonly accessToken?: string;
}

/** A proof as it came: nothing in it is believed before its signature, by the key it shows, has been verified. */
export interface UnprovenDpopProof {
  readonly jws: ParsedJws;
  readonly key: PublicJwk;
  /** The key as it is shown, whose thumbprint the proof is known by. */
  readonly jwk: JsonWebKey;
}

/** RFC 9449 §4.3, 2 to 5 and 7: one well-formed JWT that shows an asymmetric key, public only. Never throws. */
export function readDpopProof(
  text: string,
): { readonly ok: true; readonly unproven: UnprovenDpopProof } | DpopProofRefused {
  const jws = parseCompactJws(text, MAX_BYTES);
  if (!jws.ok) return refuse('malformed');
  // RFC 8725 §3.11: no other kind of JWT passes for a proof.
  if (jws.header.typ !== DPOP_TYP) return refuse('wrong_typ');
  const alg = DPOP_ALGORITHMS.find((name) => name === jws.header.alg);
  if (alg === undefined) return refuse('algorithm_not_allowed');
  const jwk = jws.header['jwk'];
  if (!isJsonObject(jwk)) return refuse('bad_key');
  const read = readPublicJwk({ ...jwk, alg: jwk['alg'] ?? alg });
  if (!read.ok || read.key.alg !== alg) return refuse('bad_key');
  return { ok: true, unproven: { jws, key: read.key, jwk: jwk as unknown as JsonWebKey } };
}

/** RFC 9449 §4.3, 8 to 12, once the signature holds. `jkt`: the thumbprint of its key; `ath` as `DpopExpectation` says. */
export function matchDpopProof(
  { jws }: UnprovenDpopProof,
  {
    jkt,
    ath,
    ...expected
  }: Omit<DpopExpectation, 'accessToken'> & {
    readonly jkt: string;
    readonly ath: string | undefined;
  },
): DpopProofResult {
  const claims = parseJsonObject(jws.payload, { maxDepth: 8, maxBytes: MAX_BYTES });
  if (!claims.ok) return refuse('malformed');
  const proof = readClaims(claims.value, jkt);
  if (proof === undefined) return refuse('bad_claims');
  const fault = mismatch(claims.value, proof, { ...expected, ath });
  return fault === undefined ? { ok: true, proof } : refuse(fault);
}

/** What a used proof is known by (RFC 9449 §11.1): hash it. Remembered until `usedDpopProofUntil`. */
export function usedDpopProofText({ jkt, jti }: DpopProof, uri: string): string {
  return JSON.stringify([jkt, uri, jti]);
}

/** Epoch seconds. */
export function usedDpopProofUntil({ iat }: DpopProof): number {
  return iat + DPOP_MAX_AGE + 1;
}

/**
 * A URL in the one form in which two are compared: without query and fragment (RFC 9449 §4.3), normalised by syntax and
 * scheme (RFC 3986 §6.2.2, §6.2.3). Undefined for what is no http URL.
 */
export function dpopUri(text: string): string | undefined {
  // The platform's parser would silently drop or turn these into something else.
  if (!/^https?:\/\/(?!\/)[\x21-\x5b\x5d-\x7e]+$/i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return undefined;
  const path = url.pathname.replace(/%[0-9a-fA-F]{2}/g, (escaped) => {
    const char = String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    return /[A-Za-z0-9\-._~]/.test(char) ? char : escaped.toUpperCase();
  });
  return `${url.origin}${path}`;
}

function readClaims(claims: JsonObject, jkt: string): DpopProof | undefined {
  const { jti, iat } = claims;
  const nonce = claims['nonce'];
  if (typeof jti !== 'string' || jti.length === 0 || jti.length > MAX_JTI) return undefined;
  if (!isNumericDate(iat)) return undefined;
  if (nonce !== undefined && typeof nonce !== 'string') return undefined;
  for (const name of ['exp', 'nbf']) {
    if (Object.hasOwn(claims, name) && !isNumericDate(claims[name])) return undefined;
  }
  if (typeof claims['htm'] !== 'string' || typeof claims['htu'] !== 'string') return undefined;
  return { jkt, jti, iat, nonce };
}

function mismatch(
  claims: JsonObject,
  { iat }: DpopProof,
  { method, uris, now, ath }: Omit<DpopExpectation, 'accessToken'> & { readonly ath: string | undefined },
): DpopProofFault | undefined {
  // RFC 9110 §9.1: methods are case-sensitive.
  if (claims['htm'] !== method) return 'wrong_method';
  const htu = dpopUri(claims['htu'] as string);
  if (htu === undefined || !uris.includes(htu)) return 'wrong_url';
  if (ath !== undefined && claims['ath'] !== ath) return 'wrong_token';
  if (iat > now + DPOP_MAX_AHEAD) return 'issued_in_the_future';
  if (iat < now - DPOP_MAX_AGE) return 'outdated';
  // Not asked for in a proof, but whoever says so means it (RFC 7519 §4.1.4, §4.1.5).
  if (typeof claims['exp'] === 'number' && claims['exp'] <= now - DPOP_MAX_AHEAD) return 'outdated';
  if (typeof claims['nbf'] === 'number' && claims['nbf'] > now + DPOP_MAX_AHEAD)
    return 'issued_in_the_future';
  return undefined;
}

function refuse(fault: DpopProofFault): DpopProofRefused {
  return { ok: false, fault };
}
