// Public keys in certificates: RFC 3279 §2.3.1, RFC 4055 §1.2 and §3.1, RFC 5480 §2, RFC 8410 §3 and §4. They are read here before
// the platform reads them: Node ends its process when it is asked about an EC key that is the point at infinity.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { hasSmallOrder, rsaModulusFault } from '@countersign/protocol';
import { type AlgorithmIdentifier, readAlgorithmIdentifier } from './certificate.ts';
import { DerError, DerReader, onlyElement, readBytesOfBits, readInteger, TAG } from './der.ts';

/** A public key that may sign here. */
export type UsableKey = { readonly key: KeyObject; readonly kind: 'rsa' | 'rsa-pss' | 'ec' | 'ed' };
export type KeyFault = 'weak' | 'unusable';

/** Reads SubjectPublicKeyInfo. Keys below 112 bits of security (NIST SP 800-57 part 1) are weak. Never throws. */
export function usableKey(spki: Uint8Array): UsableKey | KeyFault {
  const kind = readKind(spki);
  if (kind === 'weak' || kind === 'unusable') return kind;
  try {
    return { key: createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' }), kind };
  } catch {
    // A point that is on no curve, or parameters that do not fit the key.
    return 'unusable';
  }
}

type Kind = UsableKey['kind'] | KeyFault;
type KeyReader = (bits: Uint8Array, parameters: AlgorithmIdentifier['parameters']) => Kind;

function readKind(spki: Uint8Array): Kind {
  try {
    return kindOf(spki);
  } catch (error) {
    if (error instanceof DerError) return 'unusable';
    throw error;
  }
}

function kindOf(spki: Uint8Array): Kind {
  const fields = new DerReader(onlyElement(spki, TAG.sequence).content);
  const { id, parameters } = readAlgorithmIdentifier(fields.next(TAG.sequence));
  const bits = readBytesOfBits(fields.next(TAG.bitString));
  fields.end();
  return Object.hasOwn(READERS, id) ? (READERS[id] as KeyReader)(bits, parameters) : 'unusable';
}

const NULL = '0500';

const READERS: { readonly [id: string]: KeyReader } = {
  '1.2.840.113549.1.1.1': (bits, parameters) => (hexOf(parameters) === NULL ? rsa(bits, 'rsa') : 'unusable'),
  // Which hash the key is for is in its parameters: the platform keeps to them.
  '1.2.840.113549.1.1.10': (bits) => rsa(bits, 'rsa-pss'),
  '1.2.840.10045.2.1': (bits, parameters) => {
    const width = WIDTHS[hexOf(parameters)];
    return width !== undefined && isPoint(bits, width) ? 'ec' : 'unusable';
  },
  '1.3.101.112': (bits, parameters) => {
    if (parameters !== undefined || bits.length !== 32) return 'unusable';
    return hasSmallOrder(bits) ? 'weak' : 'ed';
  },
  '1.3.101.113': (bits, parameters) => {
    if (parameters !== undefined || bits.length !== 57) return 'unusable';
    return ED448_SMALL_ORDER.has(hexOf(bits.subarray(0, 56))) ? 'weak' : 'ed';
  },
};

/** Bytes of a coordinate, by the DER of the curve's name: P-256, P-384, P-521. Curves that are spelled out have none. */
const WIDTHS: { readonly [parameters: string]: number } = {
  '06082a8648ce3d030107': 32,
  '06052b81040022': 48,
  '06052b81040023': 66,
};

/** SEC 1 §2.3.3: whole or compressed. The third form is the point at infinity, whose private key is 0. */
function isPoint(bits: Uint8Array, width: number): boolean {
  const [form] = bits;
  return form === 4 ? bits.length === 1 + 2 * width : (form === 2 || form === 3) && bits.length === 1 + width;
}

/** The y coordinates, little-endian, of the points of RFC 8032 §5.2 whose order divides 4: 0, 1 and -1. */
const ED448_SMALL_ORDER: ReadonlySet<string> = new Set([
  '00'.repeat(56),
  `01${'00'.repeat(55)}`,
  `fe${'ff'.repeat(27)}fe${'ff'.repeat(27)}`,
]);

const MOST_RSA_BYTES = 1024;

/** RFC 8017 §A.1.1. A long exponent is as dear to check as a signature is to make, and strangers choose it. */
function rsa(bits: Uint8Array, kind: 'rsa' | 'rsa-pss'): Kind {
  const numbers = new DerReader(onlyElement(bits, TAG.sequence).content);
  const [modulus, exponent] = [readPositive(numbers), readPositive(numbers)];
  numbers.end();
  if (modulus.length > MOST_RSA_BYTES) return 'unusable';
  return rsaModulusFault(modulus, exponent) ? 'weak' : kind;
}

/** Its bytes without the one that says that it is positive. */
function readPositive(fields: DerReader): Uint8Array {
  const bytes = readInteger(fields.next(TAG.integer));
  const [first = 0] = bytes;
  if (first >= 0x80) throw new DerError('a negative number');
  return first === 0 ? bytes.subarray(1) : bytes;
}

function hexOf(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('hex');
}
