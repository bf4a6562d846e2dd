// The JWS algorithms in use here, one row each: RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2.

/** Fully asymmetric, nothing that a public key could be mistaken for a secret of, no `none`. */
export type JwsAlgorithm = 'ES256' | 'ES384' | 'RS256' | 'RS384' | 'PS256' | 'EdDSA' | 'Ed25519';

export interface EcdsaRow {
  readonly kty: 'EC';
  readonly crv: 'P-256' | 'P-384';
  readonly hash: 'sha256' | 'sha384';
  /** Bytes of r, of s and of each coordinate. */
  readonly width: number;
  /** The order of the group: r and s lie in [1, order - 1]. */
  readonly order: Uint8Array;
}

export interface RsaRow {
  readonly kty: 'RSA';
  readonly hash: 'sha256' | 'sha384';
  /** PSS salt length in bytes (RFC 7518 §3.5); PKCS #1 v1.5 has none. */
  readonly pssSaltLength?: number;
}

export interface EddsaRow {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
}

export type JwsAlgorithmRow = EcdsaRow | RsaRow | EddsaRow;

const P256_ORDER = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551';
const P384_ORDER =
  'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973';

function hexBytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** A null prototype, because headers choose the name that is looked up. */
export const JWS_ALGORITHMS: { readonly [alg in JwsAlgorithm]: JwsAlgorithmRow } = Object.freeze(
  Object.assign(Object.create(null) as object, {
    ES256: { kty: 'EC', crv: 'P-256', hash: 'sha256', width: 32, order: hexBytes(P256_ORDER) },
    ES384: { kty: 'EC', crv: 'P-384', hash: 'sha384', width: 48, order: hexBytes(P384_ORDER) },
    RS256: { kty: 'RSA', hash: 'sha256' },
    RS384: { kty: 'RSA', hash: 'sha384' },
    PS256: { kty: 'RSA', hash: 'sha256', pssSaltLength: 32 },
    EdDSA: { kty: 'OKP', crv: 'Ed25519' },
    Ed25519: { kty: 'OKP', crv: 'Ed25519' },
  } as const satisfies { [alg in JwsAlgorithm]: JwsAlgorithmRow }),
);

/** True when `name` is exactly one of the algorithms in the table (case-sensitive, RFC 7515 §4.1.1). */
export function isJwsAlgorithm(name: unknown): name is JwsAlgorithm {
  return typeof name === 'string' && name in JWS_ALGORITHMS;
}
