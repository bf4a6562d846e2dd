// JSON Web Key, public keys for signatures only: RFC 7517 §4, RFC 7518 §6, RFC 8037 §2, RFC 7638.
import { decodeBase64url } from './base64url.ts';
import { hasSmallOrder } from './ed25519-point.ts';
import { type EcdsaRow, isJwsAlgorithm, JWS_ALGORITHMS, type JwsAlgorithm } from './jws-algorithm.ts';
import { rsaModulusFault } from './rsa-modulus.ts';
import { isJsonObject, type JsonObject } from './strict-json.ts';

interface JwkCommon {
  readonly kid?: string;
  readonly alg?: string;
  readonly use?: string;
  readonly key_ops?: readonly string[];
}

/** A public key as it stands in a JWK set. */
export type JsonWebKey = JwkCommon &
  (
    | { readonly kty: 'EC'; readonly crv: string; readonly x: string; readonly y: string }
    | { readonly kty: 'RSA'; readonly n: string; readonly e: string }
    | { readonly kty: 'OKP'; readonly crv: string; readonly x: string }
  );

/** A public key that is pinned to one algorithm, checked in all but what only an import can say: whether a point is on its curve. */
export interface PublicJwk {
  readonly kid: string | undefined;
  readonly alg: JwsAlgorithm;
  /** The members that make the key, and no others. */
  readonly material: { readonly kty: string; readonly [name: string]: string };
}

export type JwkFault =
  | 'not_an_object'
  | 'unsupported_kty'
  | 'unsupported_crv'
  | 'unsupported_alg'
  | 'alg_required'
  | 'alg_mismatch'
  | 'private_key_material'
  | 'wrong_use'
  | 'wrong_key_ops'
  | 'bad_kid'
  | 'bad_coordinate'
  | 'not_on_curve'
  | 'weak_rsa_key'
  | 'weak_ed25519_key';

export type PublicJwkResult =
  | { readonly ok: true; readonly key: PublicJwk }
  | { readonly ok: false; readonly fault: JwkFault };

/** What `readPublicJwk` is told. */
export interface JwkReading {
  /** What an RSA key without `alg` is pinned to; without it such a key is refused. */
  readonly rsaAlgorithm?: 'RS256' | 'RS384' | 'PS256';
}

/** RFC 7518 §6.2.2, §6.3.2, §6.4.1; `priv` is of RFC 9964. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

/** What a key without `alg` is for, where its kind leaves one choice. */
const ALG_BY_CURVE: ReadonlyMap<string, JwsAlgorithm> = new Map([
  ['P-256', 'ES256'],
  ['P-384', 'ES384'],
  ['Ed25519', 'EdDSA'],
]);

/** Reads a public verification key and pins it to one algorithm (RFC 8725 §3.1). */
export function readPublicJwk(value: unknown, options?: JwkReading): PublicJwkResult {
  if (!isJsonObject(value)) return refuse('not_an_object');
  const jwk: JsonObject = { ...value, __proto__: null };
  // RFC 7517 §9.2: private and symmetric keys have no place in a published set; such a set is a leak.
  if (PRIVATE_MEMBERS.some((name) => jwk[name] !== undefined)) return refuse('private_key_material');
  if (!isKid(jwk['kid'])) return refuse('bad_kid');
  if (jwk['use'] !== undefined && jwk['use'] !== 'sig') return refuse('wrong_use');
  if (!mayVerify(jwk['key_ops'])) return refuse('wrong_key_ops');

  const { kty, crv } = jwk;
  if (kty !== 'EC' && kty !== 'RSA' && kty !== 'OKP') return refuse('unsupported_kty');
  const derived = kty === 'RSA' ? options?.rsaAlgorithm : ALG_BY_CURVE.get(String(crv));
  if (kty !== 'RSA' && derived === undefined) return refuse('unsupported_crv');
  const alg = jwk['alg'] ?? derived;
  if (alg === undefined) return refuse('alg_required');
  if (!isJwsAlgorithm(alg)) return refuse('unsupported_alg');
  const row = JWS_ALGORITHMS[alg];
  if (row.kty !== kty || (row.kty !== 'RSA' && row.crv !== crv)) return refuse('alg_mismatch');

  const material = materialOf(jwk, row);
  if (typeof material === 'string') return refuse(material);
  return { ok: true, key: { kid: jwk['kid'], alg, material } };
}

/** What an RFC 7638 thumbprint is made of: the required members in lexicographic order. */
export function thumbprintText(jwk: JsonWebKey): string {
  return JSON.stringify(requiredMembers(jwk));
}

export function requiredMembers(jwk: JsonWebKey): JsonWebKey {
  switch (jwk.kty) {
    case 'EC':
      return { crv: jwk.crv, kty: 'EC', x: jwk.x, y: jwk.y };
    case 'RSA':
      return { e: jwk.e, kty: 'RSA', n: jwk.n };
    case 'OKP':
      return { crv: jwk.crv, kty: 'OKP', x: jwk.x };
  }
}

/** The members to import, or what is wrong with them. The platform would accept short, long and weak ones. */
function materialOf(
  jwk: JsonObject,
  row: (typeof JWS_ALGORITHMS)[JwsAlgorithm],
): PublicJwk['material'] | JwkFault {
  if (row.kty === 'RSA') {
    const n = octets(jwk['n']);
    const e = octets(jwk['e']);
    if (n === undefined || e === undefined) return 'bad_coordinate';
    // RFC 7518 §6.3.1: the minimum number of octets.
    if (n[0] === 0 || e[0] === 0) return 'bad_coordinate';
    return rsaModulusFault(n, e) ? 'weak_rsa_key' : { kty: 'RSA', n: String(jwk['n']), e: String(jwk['e']) };
  }
  // RFC 7518 §6.2.1.2, RFC 8037 §2: exactly the width of the curve.
  const width = (row as Partial<EcdsaRow>).width ?? 32;
  const x = octets(jwk['x']);
  if (x?.length !== width) return 'bad_coordinate';
  if (row.kty === 'OKP')
    return hasSmallOrder(x) ? 'weak_ed25519_key' : { kty: 'OKP', crv: row.crv, x: String(jwk['x']) };
  if (octets(jwk['y'])?.length !== width) return 'bad_coordinate';
  return { kty: 'EC', crv: row.crv, x: String(jwk['x']), y: String(jwk['y']) };
}

function octets(value: unknown): Uint8Array | undefined {
  // 1,400 characters hold the largest modulus that rsaModulusFault lets through.
  return typeof value === 'string' && value.length <= 1400 ? decodeBase64url(value) : undefined;
}

function isKid(kid: unknown): kid is string | undefined {
  return kid === undefined || (typeof kid === 'string' && kid.length > 0 && kid.length <= 256);
}

/** RFC 7517 §4.3: no repeated values, no operation that does not belong with signatures. */
function mayVerify(operations: unknown): boolean {
  if (operations === undefined) return true;
  if (!Array.isArray(operations) || new Set(operations).size !== operations.length) return false;
  return operations.includes('verify') && operations.every((name) => name === 'verify' || name === 'sign');
}

function refuse(fault: JwkFault): PublicJwkResult {
  return { ok: false, fault };
}
