// JWK set: RFC 7517 §5.
import { type JwkFault, parsePublicJwk, type VerificationKey } from './jwk.ts';
import { isJsonObject, type JsonFault, parseJsonObject } from './strict-json.ts';

export type JwkSetResult =
  | {
      readonly ok: true;
      /** The keys that can verify here. */
      readonly keys: readonly VerificationKey[];
      /** Keys that were passed over, by their place in the set. */
      readonly skipped: readonly { readonly index: number; readonly fault: JwkFault | 'duplicate_kid' }[];
    }
  | { readonly ok: false; readonly fault: JsonFault | 'no_keys_member' | 'too_many_keys' };

export interface JwkSetLimits {
  /** Default 100. */
  readonly maxKeys?: number;
  /** Default 262,144. */
  readonly maxBytes?: number;
  /** What RSA keys without `alg` are for; without it they are passed over. */
  readonly rsaAlgorithm?: 'RS256' | 'RS384' | 'PS256';
}

/**
 * Reads a JWK set. A key of a kind not used here is passed over (RFC 7517 §5); of several keys with one kid, which of
 * them is meant would be a guess, so all of them are.
 */
export function parseJwkSet(source: string | Uint8Array | object, limits?: JwkSetLimits): JwkSetResult {
  const set = isSource(source)
    ? parseJsonObject(source, { maxDepth: 8, maxBytes: limits?.maxBytes ?? 262_144 })
    : ({ ok: true, value: source as { readonly [name: string]: unknown } } as const);
  if (!set.ok) return set;
  const list = isJsonObject(set.value) && Object.hasOwn(set.value, 'keys') ? set.value['keys'] : undefined;
  if (!Array.isArray(list)) return { ok: false, fault: 'no_keys_member' };
  if (list.length > (limits?.maxKeys ?? 100)) return { ok: false, fault: 'too_many_keys' };

  const kids = new Map<unknown, number>();
  for (const jwk of list as unknown[]) {
    const kid = isJsonObject(jwk) ? jwk['kid'] : undefined;
    kids.set(kid, (kids.get(kid) ?? 0) + 1);
  }
  const keys: VerificationKey[] = [];
  const skipped: { index: number; fault: JwkFault | 'duplicate_kid' }[] = [];
  const narrowing = limits?.rsaAlgorithm === undefined ? undefined : { rsaAlgorithm: limits.rsaAlgorithm };
  for (const [index, jwk] of (list as unknown[]).entries()) {
    const result = parsePublicJwk(jwk, narrowing);
    if (!result.ok) skipped.push({ index, fault: result.fault });
    else if (result.key.kid !== undefined && kids.get(result.key.kid) !== 1) {
      skipped.push({ index, fault: 'duplicate_kid' });
    } else keys.push(result.key);
  }
  return { ok: true, keys, skipped };
}

function isSource(source: string | Uint8Array | object): source is string | Uint8Array {
  return typeof source === 'string' || source instanceof Uint8Array;
}
