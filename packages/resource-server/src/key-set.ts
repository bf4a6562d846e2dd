// The keys of an issuer that may be used here: RFC 7517 §5, RFC 8725 §3.1.
import { readJwkSet } from '@countersign/protocol/jwk-set';
import { JwksError, MAX_JWKS_BYTES } from './jwks-error.ts';
import type { Platform, PlatformKey } from './platform/platform.ts';
import type { IssuerSettings } from './issuer-settings.ts';

const MAX_KEYS = 100;

/** @throws JwksError when there is none, or the set cannot be read */
export function readKeySet(
  source: Uint8Array | object,
  { issuer, algorithms, rsaAlgorithm }: IssuerSettings,
  importKey: Platform['importKey'],
): readonly PlatformKey[] {
  const set = readJwkSet(source, {
    maxKeys: MAX_KEYS,
    maxBytes: MAX_JWKS_BYTES,
    ...(rsaAlgorithm === undefined ? {} : { rsaAlgorithm }),
  });
  if (!set.ok) throw new JwksError(`the key set of ${issuer} cannot be read: ${set.fault}`);
  const keys: PlatformKey[] = [];
  const skipped = set.skipped.map(({ index, fault }) => `key ${index} ${fault}`);
  for (const { index, key } of set.keys) {
    if (!algorithms.has(key.alg)) continue;
    const imported = importKey(key);
    if (imported === undefined) skipped.push(`key ${index} not_on_curve`);
    else keys.push(imported);
  }
  if (keys.length > 0) return keys;
  throw new JwksError(`the key set of ${issuer} has no key that may be used (${skipped.join(', ')})`);
}
