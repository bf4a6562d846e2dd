// Signatures of a JWS on node:crypto: RFC 7515 §5.1, §5.2; RFC 7518 §3; RFC 8037 §3.1.
import { constants, type KeyObject, sign, verify } from 'node:crypto';
import { encodeBase64url } from './base64url.ts';
import { inRange } from './ecdsa-range.ts';
import { derToP1363, joinedP256, p1363ToDer } from './ecdsa-signature.ts';
import { type ParsedJws, charactersOf } from './jws.ts';
import { type EcdsaRow, JWS_ALGORITHMS, type JwsAlgorithm, type RsaRow } from './jws-algorithm.ts';
import type { VerificationKey } from './verification-key.ts';

/** A private key that is pinned to one algorithm. */
export interface SigningKey {
  readonly kid: string | undefined;
  readonly alg: JwsAlgorithm;
  /** Private; import it once, each import costs more than four signatures. */
  readonly keyObject: KeyObject;
}

/**
 * True when `key` made the signature and the header says the algorithm that the key is pinned to. Never throws.
 * Nothing in the header chooses the key or the algorithm.
 */
export function verifyJws(
  jws: Pick<ParsedJws, 'header' | 'signingInput' | 'signature'>,
  key: VerificationKey,
): boolean {
  // RFC 8725 §3.1: one key, one algorithm, checked at use.
  if (jws.header.alg !== key.alg) return false;
  const row = JWS_ALGORITHMS[key.alg];
  const data = bytesOf(jws.signingInput);
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

/** ES256 over an ASCII signing input, as base64url of r‖s. The hot path of issuance: nothing is checked, only the key is used. */
export function signEs256(signingInput: string, privateKey: KeyObject): string {
  return joinedP256(sign('sha256', written(signingInput), privateKey));
}

/** Signing and verifying are synchronous: one memory serves all, longer inputs get one of their own. */
const scratch = Buffer.allocUnsafeSlow(8192) as Buffer & {
  latin1Write(text: string, at: number, length: number): number;
};
/** Views of one memory by length, for those that most inputs are of: making a view costs as much as filling it. */
type Views = (Uint8Array | undefined)[];
const scratchViews: Views = Array.from({ length: 2048 }, () => undefined);
const readViews: Views = Array.from({ length: 2048 }, () => undefined);

function firstOf(memory: Uint8Array, length: number, views: Views): Uint8Array {
  return length < views.length ? (views[length] ??= memory.subarray(0, length)) : memory.subarray(0, length);
}

/** The bytes of a signing input, which is ASCII: until the next one is written. */
function written(signingInput: string): Uint8Array {
  const { length } = signingInput;
  if (length > scratch.length) return Buffer.from(signingInput, 'latin1');
  scratch.latin1Write(signingInput, 0, length);
  return firstOf(scratch, length, scratchViews);
}

/** The same, without writing it again where its token was read just before. */
function bytesOf(signingInput: string): Uint8Array {
  const read = charactersOf(signingInput);
  return read === undefined ? written(signingInput) : firstOf(read, signingInput.length, readViews);
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

function verifyEcdsa(row: EcdsaRow, data: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  if (signature.length !== row.width * 2 || !inRange(signature, row.order)) return false;
  return verify(row.hash, data, key, p1363ToDer(signature));
}

/** The bare key wherever an options object is not needed: the object doubles the cost on newer Node. */
function rsaKey(row: RsaRow, key: KeyObject): Parameters<typeof verify>[2] & Parameters<typeof sign>[2] {
  if (row.pssSaltLength === undefined) return key;
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: row.pssSaltLength };
}
