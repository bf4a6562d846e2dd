// COSE_Mac0: RFC 9052 §6.2 and §6.3, with the MACs of RFC 9053 §3.1.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { MAC_ALGORITHMS } from './cose-algorithm.ts';
import { algorithmOf, type CoseMessage, coseStructure } from './cose-message.ts';

/** A secret key and the one algorithm it is for. */
export interface CoseSecretKey {
  readonly alg: number;
  readonly key: Uint8Array;
}

/** True when the MAC is that of `key`. Never throws. */
export function verifyMac0(
  message: CoseMessage,
  { alg, key }: CoseSecretKey,
  externalAad?: Uint8Array,
): boolean {
  const algorithm = MAC_ALGORITHMS.get(alg);
  if (algorithm === undefined || message.kind !== 'mac0' || algorithmOf(message) !== alg) return false;
  const whole = createHmac(algorithm.hash, key).update(coseStructure(message, externalAad)).digest();
  const expected = whole.subarray(0, algorithm.length);
  return message.seal.length === expected.length && timingSafeEqual(message.seal, expected);
}
