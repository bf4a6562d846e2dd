// JWT-SVID: JWT-SVID.md of the SPIFFE specification, on RFC 7519 §4.1 and RFC 7515 §4.1.
import { isNumericDate } from './numeric-date.ts';
import { type ParsedJws, parseCompactJws } from './jws.ts';
import { verifyJws } from './jws-signature.ts';
import { isJwsAlgorithm, type JwsAlgorithm } from './jws-algorithm.ts';
import { parseSpiffeId, type SpiffeId } from './spiffe-id.ts';
import { type JsonObject, parseJsonObject } from './strict-json.ts';
import type { VerificationKey } from './verification-key.ts';

/** `typ` of those made here; absent and JOSE are as good (JWT-SVID.md §2.3). */
export const JWT_SVID_TYP = 'JWT';
const TYPS: readonly (string | undefined)[] = [undefined, JWT_SVID_TYP, 'JOSE'];
/** JWT-SVID.md §2: no other member. */
const HEADERS: ReadonlySet<string> = new Set(['alg', 'kid', 'typ']);
/** JWT-SVID.md §2.1, of those known here: EdDSA is not among them. */
const ALGORITHMS: ReadonlySet<JwsAlgorithm> = new Set<JwsAlgorithm>([
  'ES256',
  'ES384',
  'RS256',
  'RS384',
  'PS256',
]);
const MAX_BYTES = 16_384;
/** Seconds by which clocks may differ. */
export const JWT_SVID_LEEWAY = 30;

/** A JWT-SVID as it was read. Nothing in it is believed before `isJwtSvidSignedBy` has said so. */
export interface JwtSvid {
  readonly ok: true;
  readonly id: SpiffeId;
  readonly alg: JwsAlgorithm;
  readonly kid: string;
  readonly audience: readonly string[];
  /** Epoch seconds, as the next two. */
  readonly exp: number;
  readonly iat: number | undefined;
  readonly nbf: number | undefined;
  readonly claims: JsonObject;
  readonly jws: ParsedJws;
}

export type JwtSvidFault =
  | 'malformed'
  | 'wrong_typ'
  | 'unknown_header'
  | 'algorithm_not_allowed'
  | 'no_kid'
  | 'bad_subject'
  | 'bad_claims';

export type JwtSvidResult = JwtSvid | { readonly ok: false; readonly fault: JwtSvidFault };

/** Reads one and checks all that can be checked without a key or a clock. Never throws. */
export function parseJwtSvid(token: string): JwtSvidResult {
  const jws = parseCompactJws(token, MAX_BYTES);
  if (!jws.ok) return refuse('malformed');
  const { alg, kid, typ } = jws.header;
  if (!TYPS.includes(typ)) return refuse('wrong_typ');
  if (Object.keys(jws.header).some((name) => !HEADERS.has(name))) return refuse('unknown_header');
  if (!isJwsAlgorithm(alg) || !ALGORITHMS.has(alg)) return refuse('algorithm_not_allowed');
  // Optional by the letter; without it the key would be a guess, and others refuse it too.
  if (kid === undefined || kid === '') return refuse('no_kid');
  const read = parseJsonObject(jws.payload, { maxDepth: 8, maxBytes: MAX_BYTES });
  if (!read.ok) return refuse('malformed');
  const claims = read.value;
  const { sub, aud, exp, iat, nbf } = claims as Record<string, unknown>;
  const id = typeof sub === 'string' ? parseSpiffeId(sub) : undefined;
  // SPIFFE-ID.md §2.2: a workload has a path.
  if (id === undefined || id.path === '') return refuse('bad_subject');
  const audience = readAudience(aud);
  if (audience === undefined || !isNumericDate(exp)) return refuse('bad_claims');
  if (!isDateOrAbsent(iat) || !isDateOrAbsent(nbf)) return refuse('bad_claims');
  return { ok: true, id, alg, kid, audience, exp, iat, nbf, claims, jws };
}

/** Whether the key of the trust domain's bundle that the token names made it. Never throws. */
export function isJwtSvidSignedBy(svid: JwtSvid, keys: readonly VerificationKey[]): boolean {
  const named = keys.filter((key) => key.kid === svid.kid);
  // Two keys of one name: which of them is meant would be a guess.
  return named.length === 1 && verifyJws(svid.jws, named[0] as VerificationKey);
}

export type JwtSvidMismatch = 'wrong_audience' | 'expired' | 'not_yet_valid';

/** What is wrong with one whose signature holds, for who is `audience` at `now` (epoch seconds). JWT-SVID.md §3.2, §3.3, §4. */
export function jwtSvidMismatch(
  { audience, exp, iat, nbf }: JwtSvid,
  asked: string,
  now: number,
): JwtSvidMismatch | undefined {
  if (!audience.includes(asked)) return 'wrong_audience';
  if (exp <= now) return 'expired';
  if ((nbf ?? iat ?? now) > now + JWT_SVID_LEEWAY) return 'not_yet_valid';
  return undefined;
}

/** JWT-SVID.md §3.2: one at least; none is empty. */
function readAudience(aud: unknown): readonly string[] | undefined {
  const list: readonly unknown[] = Array.isArray(aud) ? (aud as unknown[]) : [aud];
  const texts = list.filter((each): each is string => typeof each === 'string' && each !== '');
  return texts.length > 0 && texts.length === list.length ? texts : undefined;
}

function isDateOrAbsent(value: unknown): value is number | undefined {
  return value === undefined || isNumericDate(value);
}

function refuse(fault: JwtSvidFault): { readonly ok: false; readonly fault: JwtSvidFault } {
  return { ok: false, fault };
}
