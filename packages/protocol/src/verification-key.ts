// Public keys on node:crypto, for signatures only: RFC 7517 §4, §5, RFC 7638.
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import {
  type JsonWebKey,
  type JwkFault,
  type JwkReading,
  type PublicJwk,
  readPublicJwk,
  requiredMembers,
  thumbprintText,
} from './jwk.ts';
import { type JwkSetFault, type JwkSetLimits, readJwkSet, type SkippedJwk } from './jwk-set.ts';
import type { JwsAlgorithm } from './jws-algorithm.ts';

/** A public key that is pinned to one algorithm. Made by `parsePublicJwk`, checked once, never re-checked. */
export interface VerificationKey {
  readonly kid: string | undefined;
  readonly alg: JwsAlgorithm;
  readonly keyObject: KeyObject;
}

export type JwkResult =
  | { readonly ok: true; readonly key: VerificationKey }
  | { readonly ok: false; readonly fault: JwkFault };

export type JwkSetResult =
  | {
      readonly ok: true;
      /** The keys that can verify here. */
      readonly keys: readonly VerificationKey[];
      /** Keys that were passed over, by their place in the set. */
      readonly skipped: readonly SkippedJwk[];
    }
  | { readonly ok: false; readonly fault: JwkSetFault };

/** Reads a public verification key and pins it to one algorithm (RFC 8725 §3.1). */
export function parsePublicJwk(value: unknown, options?: JwkReading): JwkResult {
  const read = readPublicJwk(value, options);
  if (!read.ok) return read;
  const key = importPublicJwk(read.key);
  return key === undefined ? { ok: false, fault: 'not_on_curve' } : { ok: true, key };
}

/** Undefined when the point is not on its curve. */
export function importPublicJwk({ kid, alg, material }: PublicJwk): VerificationKey | undefined {
  try {
    return { kid, alg, keyObject: createPublicKey({ key: material, format: 'jwk' }) };
  } catch {
    return undefined;
  }
}

/** `readJwkSet` with the keys imported; one that cannot be is passed over. */
export function parseJwkSet(source: string | Uint8Array | object, limits?: JwkSetLimits): JwkSetResult {
  const read = readJwkSet(source, limits);
  if (!read.ok) return read;
  const keys: VerificationKey[] = [];
  const skipped = [...read.skipped];
  for (const { index, key } of read.keys) {
    const imported = importPublicJwk(key);
    if (imported === undefined) skipped.push({ index, fault: 'not_on_curve' });
    else keys.push(imported);
  }
  return { ok: true, keys, skipped: skipped.sort((one, other) => one.index - other.index) };
}

/** The RFC 7638 thumbprint: base64url of the SHA-256 of the required members in lexicographic order. */
export function jwkThumbprint(jwk: JsonWebKey): string {
  return createHash('sha256').update(thumbprintText(jwk)).digest('base64url');
}

/** The JWK to publish for a public or private key: required members, `kid`, `alg` and `use` only. */
export function toPublicJwk(key: KeyObject, kid: string, alg: JwsAlgorithm): JsonWebKey {
  const exported = key.export({ format: 'jwk' }) as unknown as JsonWebKey;
  return { ...requiredMembers(exported), kid, alg, use: 'sig' };
}
