// JWK set: RFC 7517 §5.
import { type JwkFault, type JwkReading, type PublicJwk, readPublicJwk } from './jwk.ts';
import { isJsonObject, type JsonFault, parseJsonObject } from './strict-json.ts';

export type JwkSetFault = JsonFault | 'no_keys_member' | 'too_many_keys';

export interface SkippedJwk {
  /** Its place in the set. */
  readonly index: number;
  readonly fault: JwkFault | 'duplicate_kid';
}

export type PublicJwkSetResult =
  | {
      readonly ok: true;
      readonly keys: readonly { readonly index: number; readonly key: PublicJwk }[];
      /** Keys that were passed over. */
      readonly skipped: readonly SkippedJwk[];
    }
  | { readonly ok: false; readonly fault: JwkSetFault };

/** Without `rsaAlgorithm`, RSA keys without `alg` are passed over. */
export interface JwkSetLimits extends JwkReading {
  /** Default 100. */
  readonly maxKeys?: number;
  /** Default 262,144. */
  readonly maxBytes?: number;
}

/**
 * Reads a JWK set. A key of a kind not used here is passed over (RFC 7517 §5); of several keys with one kid, which of
 * them is meant would be a guess, so all of them are.
 */
export function readJwkSet(source: string | Uint8Array | object, limits?: JwkSetLimits): PublicJwkSetResult {
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
  const keys: { index: number; key: PublicJwk }[] = [];
  const skipped: SkippedJwk[] = [];
  for (const [index, jwk] of (list as unknown[]).entries()) {
    const result = readPublicJwk(jwk, limits);
    if (!result.ok) skipped.push({ index, fault: result.fault });
    else if (result.key.kid !== undefined && kids.get(result.key.kid) !== 1) {
      skipped.push({ index, fault: 'duplicate_kid' });
    } else keys.push({ index, key: result.key });
  }
  return { ok: true, keys, skipped };
}

function isSource(source: string | Uint8Array | object): source is string | Uint8Array {
  return typeof source === 'string' || source instanceof Uint8Array;
}
