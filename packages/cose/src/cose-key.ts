// COSE_Key: RFC 9052 §7, the key types of RFC 9053 §7.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { isBytes } from './cose-message.ts';
import { type CborMap, type CborValue, isCborMap } from './strict-cbor.ts';

/** Labels: RFC 9052 §7.1, RFC 9053 §7.1.1 and §7.3. */
export const COSE_KEY = { kty: 1, kid: 2, alg: 3, k: -1, crv: -1, x: -2, y: -3 } as const;
/** RFC 9053 §7, table 17. */
export const KTY = { okp: 1, ec2: 2, symmetric: 4 } as const;
const CURVES: ReadonlyMap<CborValue | undefined, string> = new Map([
  [1, 'P-256'],
  [2, 'P-384'],
  [3, 'P-521'],
]);

/** A symmetric key as ACE sends it (RFC 9202 §3.3.1); without `k`, the name of one. */
export function symmetricCoseKey(kid: Uint8Array, k?: Uint8Array): CborMap {
  const key = new Map<number, CborValue>([
    [COSE_KEY.kty, KTY.symmetric],
    [COSE_KEY.kid, kid],
  ]);
  if (k !== undefined) key.set(COSE_KEY.k, k);
  return key;
}

/** The kid of a symmetric COSE_Key; undefined for what is none, or has none. */
export function symmetricKid(value: CborValue | undefined): Uint8Array | undefined {
  if (!isCborMap(value) || value.get(COSE_KEY.kty) !== KTY.symmetric) return undefined;
  const kid = value.get(COSE_KEY.kid);
  return isBytes(kid) && kid.length > 0 ? kid : undefined;
}

/** The kid of a symmetric COSE_Key that has a name and nothing else; undefined for all else. */
export function namedSymmetricKid(value: CborValue | undefined): Uint8Array | undefined {
  return isCborMap(value) && value.size === 2 ? symmetricKid(value) : undefined;
}

/** An elliptic curve public key with both coordinates; undefined for what is none. Never throws. */
export function readEc2Key(value: CborValue | undefined): KeyObject | undefined {
  if (!isCborMap(value) || value.get(COSE_KEY.kty) !== KTY.ec2) return undefined;
  const crv = CURVES.get(value.get(COSE_KEY.crv));
  const x = value.get(COSE_KEY.x);
  const y = value.get(COSE_KEY.y);
  if (crv === undefined || !isBytes(x) || !isBytes(y)) return undefined;
  const [jwkX, jwkY] = [x, y].map((part) => Buffer.from(part).toString('base64url'));
  try {
    return createPublicKey({ key: { kty: 'EC', crv, x: jwkX as string, y: jwkY as string }, format: 'jwk' });
  } catch {
    return undefined;
  }
}
