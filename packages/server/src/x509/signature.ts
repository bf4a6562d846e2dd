// Signatures on certificates and revocation lists: RFC 4055, RFC 5758, RFC 8410. Hashes below 112 bits of security (NIST
// SP 800-57 part 1) are refused, whatever signs with them.
import { constants, verify } from 'node:crypto';
import { type AlgorithmIdentifier, readAlgorithmIdentifier } from './certificate.ts';
import { context, DerError, type DerElement, DerReader, onlyElement, readSmallInteger, TAG } from './der.ts';
import type { KeyFault, UsableKey } from './public-key.ts';

interface Algorithm {
  readonly kinds: readonly UsableKey['kind'][];
  /** Undefined: the key's own. */
  readonly hash: string | undefined;
  /** DER, in hexadecimal; empty: there must be none. */
  readonly parameters: string;
  readonly pss?: { readonly padding: number; readonly saltLength: number };
}

const NULL = '0500';
const RSA = '1.2.840.113549.1.1';
const ECDSA = '1.2.840.10045.4.3';

function rsa(hash: string): Algorithm {
  return { kinds: ['rsa'], hash, parameters: NULL };
}
function ecdsa(hash: string): Algorithm {
  return { kinds: ['ec'], hash, parameters: '' };
}
const EDDSA: Algorithm = { kinds: ['ed'], hash: undefined, parameters: '' };

const ALGORITHMS: { readonly [id: string]: Algorithm } = {
  [`${RSA}.11`]: rsa('sha256'),
  [`${RSA}.12`]: rsa('sha384'),
  [`${RSA}.13`]: rsa('sha512'),
  [`${ECDSA}.2`]: ecdsa('sha256'),
  [`${ECDSA}.3`]: ecdsa('sha384'),
  [`${ECDSA}.4`]: ecdsa('sha512'),
  '1.3.101.112': EDDSA,
  '1.3.101.113': EDDSA,
};

const PSS_ID = `${RSA}.10`;
const MGF1_ID = `${RSA}.8`;
const SHA2: { readonly [id: string]: readonly [hash: string, bytes: number] } = {
  '2.16.840.1.101.3.4.2.1': ['sha256', 32],
  '2.16.840.1.101.3.4.2.2': ['sha384', 48],
  '2.16.840.1.101.3.4.2.3': ['sha512', 64],
};

/** RFC 4055 §3.1: a SHA-2 hash, MGF1 with the same one, a salt as long as it. Undefined for what is anything else. */
function pss({ parameters }: AlgorithmIdentifier): Algorithm | undefined {
  if (parameters === undefined) return undefined;
  try {
    const fields = new DerReader(onlyElement(parameters, TAG.sequence).content);
    const hash = hashOf(explicit(fields, 0, TAG.sequence));
    const mask = readAlgorithmIdentifier(explicit(fields, 1, TAG.sequence));
    const salt = readSmallInteger(explicit(fields, 2, TAG.integer));
    fields.end();
    if (hash === undefined || mask.id !== MGF1_ID || mask.parameters === undefined) return undefined;
    const [name, bytes] = hash;
    if (hashOf(onlyElement(mask.parameters, TAG.sequence))?.[0] !== name || salt !== bytes) return undefined;
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    const given = Buffer.from(parameters).toString('hex');
    return { kinds: ['rsa', 'rsa-pss'], hash: name, parameters: given, pss: { padding, saltLength: salt } };
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

function explicit(fields: DerReader, number: number, tag: number): DerElement {
  return onlyElement(fields.next(context(number, true)).content, tag);
}

/** RFC 4055 §2.1: parameters absent or NULL. */
function hashOf(element: DerElement): readonly [hash: string, bytes: number] | undefined {
  const { id, parameters } = readAlgorithmIdentifier(element);
  const nothing = parameters === undefined || Buffer.from(parameters).toString('hex') === NULL;
  return nothing && Object.hasOwn(SHA2, id) ? SHA2[id] : undefined;
}

/** Older than SHA-2, with whatever key: collisions are made (MD2, MD4, MD5, SHA-1) or within reach (SHA-224). */
const WEAK = new Set([
  ...[2, 3, 4, 5, 14].map((last) => `${RSA}.${last}`),
  `${ECDSA.slice(0, -2)}.1`,
  `${ECDSA}.1`,
  '1.2.840.10040.4.3',
  '1.3.14.3.2.29',
]);

export type SignatureFault = KeyFault | 'wrong';

/** Undefined where the signature holds. */
export function signatureFault(
  tbs: Uint8Array,
  algorithm: AlgorithmIdentifier,
  signature: Uint8Array,
  { key, kind }: UsableKey,
): SignatureFault | undefined {
  if (WEAK.has(algorithm.id)) return 'weak';
  const known =
    algorithm.id === PSS_ID
      ? pss(algorithm)
      : Object.hasOwn(ALGORITHMS, algorithm.id)
        ? ALGORITHMS[algorithm.id]
        : undefined;
  if (known === undefined) return 'unusable';
  const parameters = Buffer.from(algorithm.parameters ?? []).toString('hex');
  if (parameters !== known.parameters || !known.kinds.includes(kind)) return 'unusable';
  try {
    return verify(known.hash, tbs, known.pss === undefined ? key : { key, ...known.pss }, signature)
      ? undefined
      : 'wrong';
  } catch {
    return 'unusable';
  }
}
