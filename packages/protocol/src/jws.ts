// JSON Web Signature, compact serialization: RFC 7515 §7.1, §5.1, §5.2; RFC 7518 §3; RFC 8037 §3.1.
import { constants, type KeyObject, sign, verify } from 'node:crypto';
import { decodeBase64url, encodeBase64url } from './base64url.ts';
import { derToP1363, inRange, joinedP256, p1363ToDer } from './ecdsa-signature.ts';
import { type EcdsaRow, JWS_ALGORITHMS, type JwsAlgorithm, type RsaRow } from './jws-algorithm.ts';
import type { VerificationKey } from './jwk.ts';
import { type JsonFault, parseJsonObject } from './strict-json.ts';

/** A private key that is pinned to one algorithm. */
export interface SigningKey {
  readonly kid: string | undefined;
  readonly alg: JwsAlgorithm;
  /** Private; import it once, each import costs more than four signatures. */
  readonly keyObject: KeyObject;
}

/** The header of a parsed JWS. `jku`, `jwk`, `x5u` and `x5c` may be there; no function here ever looks at them. */
export interface JwsHeader {
  readonly alg: string;
  readonly kid?: string;
  readonly typ?: string;
  readonly cty?: string;
  readonly [name: string]: unknown;
}

export interface ParsedJws {
  readonly ok: true;
  readonly header: JwsHeader;
  /** The header as it came: base64url. */
  readonly headerPart: string;
  readonly payload: Uint8Array;
  /** What was signed: the first two parts with their dot. */
  readonly signingInput: string;
  readonly signature: Uint8Array;
}

export type JwsFault =
  | JsonFault
  | 'not_compact'
  | 'bad_base64url'
  | 'bad_header_member'
  | 'crit_not_supported'
  | 'b64_not_supported'
  | 'encrypted';

export type JwsResult = ParsedJws | { readonly ok: false; readonly fault: JwsFault };

const HEADER_LIMITS = { maxDepth: 8, maxBytes: 8192 } as const;

/** Headers that are known, by the part of a JWS that they came in. Whoever keeps one bounds it. */
export type KnownHeaders = ReadonlyMap<string, JwsHeader>;

/**
 * Takes a compact JWS apart and checks everything but the signature and the meaning. Never throws.
 * `maxBytes` bounds the token; anything that is not base64url or a dot is refused (RFC 8725bis).
 * `known` saves reading a header again that this function has read: most tokens of an issuer have the same.
 */
export function parseCompactJws(token: string, maxBytes: number = 16_384, known?: KnownHeaders): JwsResult {
  if (token.length > maxBytes) return refuse('too_long');
  const first = token.indexOf('.');
  const second = token.indexOf('.', first + 1);
  // An empty signature is what "none" looks like.
  if (first <= 0 || second === -1 || second === token.length - 1 || token.includes('.', second + 1)) {
    return refuse('not_compact');
  }
  const payload = decodeBase64url(token.slice(first + 1, second));
  const signature = decodeBase64url(token.slice(second + 1));
  if (payload === undefined || signature === undefined) return refuse('bad_base64url');
  const headerPart = token.slice(0, first);
  const header = known?.get(headerPart) ?? readHeader(headerPart);
  if (typeof header === 'string') return refuse(header);
  return { ok: true, header, headerPart, payload, signingInput: token.slice(0, second), signature };
}

function readHeader(headerPart: string): JwsHeader | JwsFault {
  const bytes = decodeBase64url(headerPart);
  if (bytes === undefined) return 'bad_base64url';
  const parsed = parseJsonObject(bytes, HEADER_LIMITS);
  if (!parsed.ok) return parsed.fault;
  return headerFault(parsed.value) ?? (parsed.value as unknown as JwsHeader);
}

/**
 * True when `key` made the signature and the header says the algorithm that the key is pinned to. Never throws.
 * Nothing in the header chooses the key or the algorithm.
 */
export function verifyJws(jws: ParsedJws, key: VerificationKey): boolean {
  // RFC 8725 §3.1: one key, one algorithm, checked at use.
  if (jws.header.alg !== key.alg) return false;
  const row = JWS_ALGORITHMS[key.alg];
  const data = Buffer.from(jws.signingInput, 'latin1');
  try {
    if (row.kty === 'EC') return verifyEcdsa(row, data, key.keyObject, jws.signature);
    if (row.kty === 'OKP') return verify(null, data, key.keyObject, jws.signature);
    return verify(row.hash, data, rsaKey(row, key.keyObject), jws.signature);
  } catch {
    return false;
  }
}

/** Signs; `alg` and `kid` of the header are the key's. Throws only when the private key does not fit its algorithm. */
export function signJws(header: object, payload: string | Uint8Array, key: SigningKey): string {
  const full = { ...header, alg: key.alg, ...(key.kid === undefined ? undefined : { kid: key.kid }) };
  const signingInput = `${encodeBase64url(JSON.stringify(full))}.${encodeBase64url(payload)}`;
  return `${signingInput}.${jwsSignature(signingInput, key)}`;
}

/** `sign` is synchronous: one buffer serves all signatures, longer inputs get one of their own. */
const scratch: Buffer = Buffer.allocUnsafeSlow(8192);

/** ES256 over an ASCII signing input, as base64url of r‖s. The hot path of issuance: nothing is checked, only the key is used. */
export function signEs256(signingInput: string, privateKey: KeyObject): string {
  const room = signingInput.length > scratch.length ? Buffer.allocUnsafe(signingInput.length) : scratch;
  const length = room.write(signingInput, 'latin1');
  return joinedP256(sign('sha256', room.subarray(0, length), privateKey));
}

/** The signature over an ASCII signing input, base64url. */
export function jwsSignature(signingInput: string, key: SigningKey): string {
  const row = JWS_ALGORITHMS[key.alg];
  const data = Buffer.from(signingInput, 'latin1');
  if (row.kty === 'OKP') return sign(null, data, key.keyObject).toString('base64url');
  if (row.kty === 'RSA') return sign(row.hash, data, rsaKey(row, key.keyObject)).toString('base64url');
  const joined = derToP1363(sign(row.hash, data, key.keyObject), row.width);
  if (joined === undefined) throw new TypeError(`the private key is not one for ${key.alg}`);
  return joined.toString('base64url');
}

function verifyEcdsa(row: EcdsaRow, data: Buffer, key: KeyObject, signature: Uint8Array): boolean {
  if (signature.length !== row.width * 2 || !inRange(signature, row.order)) return false;
  return verify(row.hash, data, key, p1363ToDer(signature));
}

/** The bare key wherever an options object is not needed: the object doubles the cost on newer Node. */
function rsaKey(row: RsaRow, key: KeyObject): Parameters<typeof verify>[2] & Parameters<typeof sign>[2] {
  if (row.pssSaltLength === undefined) return key;
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: row.pssSaltLength };
}

function headerFault(header: { readonly [name: string]: unknown }): JwsFault | undefined {
  // RFC 7515 §4.1.11: extensions must be understood, and none is.
  if (Object.hasOwn(header, 'crit')) return 'crit_not_supported';
  // RFC 7797 §7: not for JWTs.
  if (Object.hasOwn(header, 'b64')) return 'b64_not_supported';
  // A JWE must not pass for a JWS (RFC 8725bis, CVE-2023-51774).
  if (Object.hasOwn(header, 'enc')) return 'encrypted';
  if (!Object.hasOwn(header, 'alg') || typeof header['alg'] !== 'string') return 'bad_header_member';
  for (const name of ['kid', 'typ', 'cty']) {
    if (Object.hasOwn(header, name) && typeof header[name] !== 'string') return 'bad_header_member';
  }
  return undefined;
}

function refuse(fault: JwsFault): JwsResult {
  return { ok: false, fault };
}
