// Private keys to sign with, in the forms in which callers have them: RFC 7517 §4, RFC 7518 §3, RFC 8037 §3.1.
import { createPrivateKey, KeyObject, type webcrypto } from 'node:crypto';
import { encodeBase64url, isJsonObject, jwsSignature } from '@countersign/protocol';

/**
 * A private key of `node:crypto`, a Web Crypto key (which need not be extractable), a private JSON Web Key, or PEM text
 * (PKCS #8, SEC 1 or PKCS #1; not encrypted).
 */
export type PrivateKey = KeyObject | webcrypto.CryptoKey | PrivateJwk | string;

/** RFC 7517 §4: `kid` and `alg` are used, and the members of its `kty`. */
export interface PrivateJwk {
  readonly kty: string;
  readonly kid?: string | undefined;
  readonly alg?: string | undefined;
  readonly [member: string]: unknown;
}

export type SigningAlgorithm = 'ES256' | 'ES384' | 'PS256' | 'RS256' | 'RS384' | 'EdDSA';

export interface Signer {
  readonly alg: SigningAlgorithm;
  /** As the key itself says; undefined where it says nothing. */
  readonly kid: string | undefined;
  /** The JWS signature over an ASCII signing input, base64url. */
  sign(input: string): string | Promise<string>;
}

/** Undefined for what is no private key, or none of a kind that is signed with here. Never throws, never repeats the key. */
export function signerOf(key: unknown): Signer | undefined {
  if (isCryptoKey(key)) return cryptoKeySigner(key);
  const jwk = isJsonObject(key) && !(key instanceof KeyObject) ? key : undefined;
  const keyObject = key instanceof KeyObject ? key : imported(jwk ?? key);
  if (keyObject === undefined) return undefined;
  const alg = algorithmOf(keyObject, jwk?.['alg']);
  const kid = jwk?.['kid'];
  if (alg === undefined || (kid !== undefined && typeof kid !== 'string')) return undefined;
  const signing = { kid: undefined, alg, keyObject };
  return { alg, kid, sign: (input) => jwsSignature(input, signing) };
}

function imported(key: unknown): KeyObject | undefined {
  try {
    if (typeof key === 'string') return createPrivateKey(key);
    return isJsonObject(key) ? createPrivateKey({ key: key as never, format: 'jwk' }) : undefined;
  } catch {
    return undefined;
  }
}

const RSA_ALGORITHMS: ReadonlySet<unknown> = new Set(['PS256', 'RS256', 'RS384']);
const MIN_RSA_BITS = 2048;

/** What the key is for. RSA is for PS256 unless its JWK says otherwise. */
function algorithmOf(key: KeyObject, named: unknown): SigningAlgorithm | undefined {
  if (key.type !== 'private') return undefined;
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'rsa') {
    if ((details?.modulusLength ?? 0) < MIN_RSA_BITS) return undefined;
    const alg = named ?? 'PS256';
    return RSA_ALGORITHMS.has(alg) ? (alg as SigningAlgorithm) : undefined;
  }
  const alg = type === 'ed25519' ? 'EdDSA' : type === 'ec' ? ecdsaAlgorithm(details?.namedCurve) : undefined;
  // RFC 9864 §2.2: another name of the same.
  const fits = named === undefined || named === alg || (alg === 'EdDSA' && named === 'Ed25519');
  return fits ? alg : undefined;
}

function ecdsaAlgorithm(curve: string | undefined): 'ES256' | 'ES384' | undefined {
  if (curve === 'P-256' || curve === 'prime256v1') return 'ES256';
  return curve === 'P-384' || curve === 'secp384r1' ? 'ES384' : undefined;
}

/** Node 20 has no `CryptoKey` that `instanceof` could be asked of without an import that browsers lack. */
function isCryptoKey(key: unknown): key is webcrypto.CryptoKey {
  return (
    typeof key === 'object' && key !== null && Object.prototype.toString.call(key) === '[object CryptoKey]'
  );
}

const WEB_PARAMETERS = {
  ES256: { name: 'ECDSA', hash: 'SHA-256' },
  ES384: { name: 'ECDSA', hash: 'SHA-384' },
  PS256: { name: 'RSA-PSS', saltLength: 32 },
  RS256: { name: 'RSASSA-PKCS1-v1_5' },
  RS384: { name: 'RSASSA-PKCS1-v1_5' },
  EdDSA: { name: 'Ed25519' },
} as const;

function cryptoKeySigner(key: webcrypto.CryptoKey): Signer | undefined {
  const alg = key.type === 'private' && key.usages.includes('sign') ? cryptoKeyAlgorithm(key) : undefined;
  if (alg === undefined) return undefined;
  return {
    alg,
    kid: undefined,
    sign: async (input) => {
      const signature = await crypto.subtle.sign(WEB_PARAMETERS[alg], key, Buffer.from(input, 'latin1'));
      return encodeBase64url(new Uint8Array(signature));
    },
  };
}

function cryptoKeyAlgorithm({ algorithm }: webcrypto.CryptoKey): SigningAlgorithm | undefined {
  const { name, namedCurve, hash, modulusLength } = algorithm as {
    readonly name: string;
    readonly namedCurve?: string;
    readonly hash?: { readonly name: string };
    readonly modulusLength?: number;
  };
  if (name === 'Ed25519') return 'EdDSA';
  if (name === 'ECDSA') return ecdsaAlgorithm(namedCurve);
  if ((modulusLength ?? 0) < MIN_RSA_BITS) return undefined;
  if (name === 'RSA-PSS') return hash?.name === 'SHA-256' ? 'PS256' : undefined;
  if (name !== 'RSASSA-PKCS1-v1_5') return undefined;
  return hash?.name === 'SHA-256' ? 'RS256' : hash?.name === 'SHA-384' ? 'RS384' : undefined;
}
