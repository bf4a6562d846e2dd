// A client assertion: RFC 7523 §2.2, §3 with RFC 10070 (one audience, the issuer) and RFC 8725 §3.11 (its own `typ`).
import { type JsonWebKey } from './jwk.ts';
import { jwkThumbprint, parsePublicJwk, type VerificationKey } from './verification-key.ts';
import { flatNames, readFlatJson } from './flat-json.ts';
import { type KnownHeaders, type ParsedJws, readCompactJws } from './jws.ts';
import { verifyJws } from './jws-signature.ts';
import type { JwsAlgorithm } from './jws-algorithm.ts';
import { isNumericDate } from './numeric-date.ts';
import { type JsonObject, parseJsonObject } from './strict-json.ts';

/** `client_assertion_type`: RFC 7523 §2.2. */
export const CLIENT_ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** The same for a JWT-SVID: draft-ietf-oauth-spiffe-client-auth §4. */
export const SPIFFE_CLIENT_ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe';
/** `typ` of those that say what they are; RFC 10070 has clients send it and servers not insist on it. */
export const CLIENT_ASSERTION_TYP = 'client-authentication+jwt';

/** What assertions may be signed with by whoever has a key for it. */
export const CLIENT_ASSERTION_ALGORITHMS: readonly JwsAlgorithm[] = [
  'ES256',
  'ES384',
  'PS256',
  'RS384',
  'EdDSA',
  'Ed25519',
];
/** PKCS #1 v1.5 with SHA-256: for keys alone that were registered for it on purpose. */
export const CLIENT_ASSERTION_LEGACY_ALGORITHM = 'RS256';

/** Seconds by which `exp` may lie ahead: as long as an assertion that nobody used yet is worth stealing. */
export const CLIENT_ASSERTION_MAX_LIFETIME = 3600;
/** Seconds by which the clocks may differ, either way. */
export const CLIENT_ASSERTION_LEEWAY = 30;

const MAX_BYTES = 16_384;
const MAX_JTI = 256;

/** A client's public key, and the names by which an assertion may point at it. */
export interface ClientAssertionKey {
  readonly key: VerificationKey;
  /** RFC 7638; some clients send it as `kid` unasked. */
  readonly thumbprint: string;
  /** Of the certificate that holds the key, where it has one: RFC 7515 §4.1.8. */
  readonly x5tS256: string | undefined;
}

/** An assertion as it was read. Nothing in it is believed before `signerOf` has named its key. */
export interface ClientAssertion {
  readonly ok: true;
  readonly alg: JwsAlgorithm;
  /** `iss` and `sub`, which are the same. */
  readonly clientId: string;
  readonly audience: readonly string[];
  readonly jti: string;
  /** Epoch seconds, as the two below. */
  readonly exp: number;
  readonly iat: number | undefined;
  readonly nbf: number | undefined;
  readonly jws: Omit<ParsedJws, 'payload'>;
}

export type ClientAssertionFault = 'malformed' | 'wrong_typ' | 'algorithm_not_allowed' | 'bad_claims';
export type ClientAssertionResult =
  | ClientAssertion
  | { readonly ok: false; readonly fault: ClientAssertionFault };

/**
 * Reads one assertion and checks all that can be checked without its key or a clock. Never throws.
 * @param known headers of assertions whose signatures held, to read none twice
 */
export function parseClientAssertion(text: string, known?: KnownHeaders): ClientAssertionResult {
  const jws = readCompactJws(text, readPayload, known, MAX_BYTES);
  if (!jws.ok) return refuse('malformed');
  const { header, payload } = jws;
  if (!mayHaveTyp(header.typ)) return refuse('wrong_typ');
  const alg = algorithmNamed(header.alg);
  if (alg === undefined) return refuse('algorithm_not_allowed');
  const pointer = header['x5t#S256'];
  if (pointer !== undefined && typeof pointer !== 'string') return refuse('malformed');
  return typeof payload === 'string' ? refuse(payload) : { ok: true, alg, ...payload, jws };
}

/**
 * Those of the keys that may have made the assertion: of its algorithm, and not called otherwise than its header says. Where
 * one is called just so, no other comes into question.
 */
export function candidateKeys<Key extends ClientAssertionKey>(
  { jws, alg }: ClientAssertion,
  keys: readonly Key[],
): readonly Key[] {
  const { kid } = jws.header;
  const x5t = jws.header['x5t#S256'] as string | undefined;
  const fitting = keys.filter(
    (each) =>
      sameAlgorithm(each.key.alg, alg) &&
      (kid === undefined || each.key.kid === undefined || isCalled(each, kid)) &&
      (x5t === undefined || each.x5tS256 === undefined || each.x5tS256 === x5t),
  );
  const named = fitting.filter(
    (each) => (kid !== undefined && isCalled(each, kid)) || (x5t !== undefined && each.x5tS256 === x5t),
  );
  return named.length > 0 ? named : fitting;
}

/** Whether this key made the signature. Never throws. */
export function isSignedBy({ jws, alg }: ClientAssertion, key: VerificationKey): boolean {
  if (key.alg === alg) return verifyJws(jws, key);
  return sameAlgorithm(key.alg, alg) && verifyJws(jws, { ...key, alg });
}

export type ClientAssertionMismatch =
  | 'wrong_audience'
  | 'expired'
  | 'too_long_lived'
  | 'issued_in_the_future';

/** What is wrong with an assertion whose signature holds, for who is one of `audiences` at `now` (epoch seconds). */
export function clientAssertionMismatch(
  { audience, exp, iat, nbf }: ClientAssertion,
  audiences: readonly string[],
  now: number,
): ClientAssertionMismatch | undefined {
  // RFC 10070: the one audience; beside another it may have been made for that one (CVE-2025-27370, CVE-2025-27371).
  if (audience.length !== 1 || !audiences.includes(audience[0] as string)) return 'wrong_audience';
  if (exp <= now - CLIENT_ASSERTION_LEEWAY) return 'expired';
  if (exp > now + CLIENT_ASSERTION_MAX_LIFETIME + CLIENT_ASSERTION_LEEWAY) return 'too_long_lived';
  // RFC 7523 §3, 5 and 6.
  const latest = now + CLIENT_ASSERTION_LEEWAY;
  if ((iat !== undefined && iat > latest) || (nbf !== undefined && nbf > latest))
    return 'issued_in_the_future';
  return undefined;
}

export type ClientJwkResult =
  | { readonly ok: true; readonly key: ClientAssertionKey }
  | { readonly ok: false; readonly fault: string };

/**
 * Reads a client's public key. An RSA key that says no algorithm is for PS256, or for RS256 where `allowRs256`; one that says
 * RS256 is refused without it.
 */
export function parseClientJwk(jwk: JsonObject, allowRs256: boolean): ClientJwkResult {
  const parsed = parsePublicJwk(jwk, { rsaAlgorithm: allowRs256 ? 'RS256' : 'PS256' });
  if (!parsed.ok) return parsed;
  const { key } = parsed;
  if (key.alg === CLIENT_ASSERTION_LEGACY_ALGORITHM && !allowRs256)
    return { ok: false, fault: 'rs256_not_allowed' };
  const x5tS256 = Object.hasOwn(jwk, 'x5t#S256') ? jwk['x5t#S256'] : undefined;
  if (x5tS256 !== undefined && (typeof x5tS256 !== 'string' || !/^[A-Za-z0-9_-]{43}$/.test(x5tS256))) {
    return { ok: false, fault: 'bad_certificate_thumbprint' };
  }
  return { ok: true, key: { key, thumbprint: jwkThumbprint(jwk as unknown as JsonWebKey), x5tS256 } };
}

/** RFC 7515 §4.1.9: a media type, in any case, with or without its prefix. `JWT` says no more than its absence. */
function mayHaveTyp(typ: string | undefined): boolean {
  if (typ === undefined) return true;
  const type = typ.toLowerCase();
  return type === 'jwt' || type === CLIENT_ASSERTION_TYP || type === `application/${CLIENT_ASSERTION_TYP}`;
}

function algorithmNamed(name: string): JwsAlgorithm | undefined {
  return name === CLIENT_ASSERTION_LEGACY_ALGORITHM
    ? name
    : CLIENT_ASSERTION_ALGORITHMS.find((each) => each === name);
}

/** RFC 9864 §2.2: two names of one algorithm, as long as no other curve is taken. */
function sameAlgorithm(left: JwsAlgorithm, right: JwsAlgorithm): boolean {
  return left === right || (left.startsWith('Ed') && right.startsWith('Ed'));
}

function isCalled({ key, thumbprint }: ClientAssertionKey, kid: string): boolean {
  return key.kid === kid || thumbprint === kid;
}

type Claims = Pick<ClientAssertion, 'clientId' | 'audience' | 'jti' | 'exp' | 'iat' | 'nbf'>;

/** In the order in which most clients write them. */
const CLAIMS = ['iss', 'sub', 'aud', 'jti', 'iat', 'exp', 'nbf'];
const FLAT_CLAIMS = flatNames(CLAIMS);

/** Most say these claims and no other: they are read in one pass, all others by the rules of any JSON. Both say the same of the same bytes. */
function readPayload(bytes: Uint8Array, length: number): Claims | 'malformed' | 'bad_claims' {
  const flat = readFlatJson(bytes, length, FLAT_CLAIMS);
  if (flat !== undefined) return claimsOf(flat.values);
  const parsed = parseJsonObject(bytes.subarray(0, length), { maxDepth: 8, maxBytes: MAX_BYTES });
  if (!parsed.ok) return 'malformed';
  const { value } = parsed;
  return claimsOf(CLAIMS.map((name) => (Object.hasOwn(value, name) ? value[name] : undefined)));
}

/** RFC 7523 §3: issuer and subject are the client, which audience, until when; RFC 7523 §3, 7: `jti`, which we require. */
function claimsOf([iss, sub, aud, jti, iat, exp, nbf]: readonly unknown[]): Claims | 'bad_claims' {
  if (typeof iss !== 'string' || iss === '' || sub !== iss) return 'bad_claims';
  const audience = typeof aud === 'string' ? [aud] : aud;
  if (!Array.isArray(audience) || !audience.every((each) => typeof each === 'string')) return 'bad_claims';
  if (typeof jti !== 'string' || jti.length === 0 || jti.length > MAX_JTI) return 'bad_claims';
  if (!isNumericDate(exp) || !isDateOrAbsent(iat) || !isDateOrAbsent(nbf)) return 'bad_claims';
  return { clientId: iss, audience, jti, exp, iat, nbf };
}

function isDateOrAbsent(value: unknown): value is number | undefined {
  return value === undefined || isNumericDate(value);
}

function refuse(fault: ClientAssertionFault): { readonly ok: false; readonly fault: ClientAssertionFault } {
  return { ok: false, fault };
}
