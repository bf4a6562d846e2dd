// COSE messages of one sender and one recipient: COSE_Sign1, COSE_Mac0, COSE_Encrypt0 (RFC 9052 §4.2, §5.2, §6.2), and their headers (§3).
import {
  type CborFault,
  type CborLimits,
  type CborMap,
  type CborValue,
  decodeStrict,
  encodeCbor,
  isCborMap,
  TOKEN_LIMITS,
} from './strict-cbor.ts';

export type CoseKind = 'sign1' | 'mac0' | 'encrypt0';

/** Labels of headers: RFC 9052 §3.1. */
export const HEADER = { alg: 1, crit: 2, kid: 4, iv: 5 } as const;

export interface CoseMessage {
  readonly kind: CoseKind;
  /** As it goes into what is signed: empty where there is none (RFC 9052 §3). */
  readonly protectedBytes: Uint8Array;
  readonly protected: CborMap;
  readonly unprotected: CborMap;
  /** The payload, or the ciphertext with its tag. */
  readonly body: Uint8Array;
  /** Signature or MAC; empty for COSE_Encrypt0. */
  readonly seal: Uint8Array;
}

export type CoseFault = CborFault | 'wrong_tag' | 'wrong_structure' | 'critical_header' | 'repeated_header';

export type CoseResult =
  | { readonly ok: true; readonly message: CoseMessage }
  | { readonly ok: false; readonly fault: CoseFault };

/** RFC 8392 §6. */
const CWT_TAG = 61;
const TAGS: { readonly [kind in CoseKind]: number } = { encrypt0: 16, mac0: 17, sign1: 18 };
const CONTEXTS: { readonly [kind in CoseKind]: string } = {
  encrypt0: 'Encrypt0',
  mac0: 'MAC0',
  sign1: 'Signature1',
};
const NO_BYTES = new Uint8Array(0);

/** Reads a tagged message, itself in the tag of a CWT or not. Nothing is verified. Never throws. */
export function readCose(bytes: Uint8Array, limits: CborLimits = TOKEN_LIMITS): CoseResult {
  const read = decodeStrict(bytes, limits);
  if (!read.ok) return read;
  const kind = kindOf(read.tags);
  if (kind === undefined) return refuse('wrong_tag');
  const parts = read.value;
  if (!Array.isArray(parts) || parts.length !== (kind === 'encrypt0' ? 3 : 4))
    return refuse('wrong_structure');
  const [protectedPart, unprotected, body, seal = NO_BYTES] = parts as readonly CborValue[];
  if (!isBytes(protectedPart) || !isCborMap(unprotected) || !isBytes(body) || !isBytes(seal)) {
    return refuse('wrong_structure');
  }
  const headers = readProtected(protectedPart, limits);
  if (typeof headers === 'string') return refuse(headers);
  // RFC 9052 §3: labels MUST be unique over both, and what is critical MUST be understood; nothing is, here.
  if ([...headers.keys()].some((label) => unprotected.has(label))) return refuse('repeated_header');
  if (headers.has(HEADER.crit) || unprotected.has(HEADER.crit)) return refuse('critical_header');
  const protectedBytes = headers.size === 0 ? NO_BYTES : protectedPart;
  return { ok: true, message: { kind, protectedBytes, protected: headers, unprotected, body, seal } };
}

/** The message as it is sent, in its tag. */
export function writeCose({
  kind,
  protectedBytes,
  unprotected,
  body,
  seal,
}: Omit<CoseMessage, 'protected'>): Uint8Array {
  const parts: CborValue[] = [protectedBytes, unprotected, body];
  if (kind !== 'encrypt0') parts.push(seal);
  const written = encodeCbor(parts);
  const tagged = new Uint8Array(written.length + 1);
  tagged[0] = 0xc0 | TAGS[kind];
  tagged.set(written, 1);
  return tagged;
}

/** Sig_structure, MAC_structure or Enc_structure: RFC 9052 §4.4, §6.3, §5.3. */
export function coseStructure(
  { kind, protectedBytes, body }: Pick<CoseMessage, 'kind' | 'protectedBytes' | 'body'>,
  externalAad: Uint8Array = NO_BYTES,
): Uint8Array {
  const parts: CborValue[] = [CONTEXTS[kind], protectedBytes, externalAad];
  if (kind !== 'encrypt0') parts.push(body);
  return encodeCbor(parts);
}

/** The algorithm that the message names. What decides is the key: it is for one. */
export function algorithmOf({ protected: headers, unprotected }: CoseMessage): CborValue | undefined {
  return headers.get(HEADER.alg) ?? unprotected.get(HEADER.alg);
}

function kindOf(tags: readonly number[]): CoseKind | undefined {
  const inner = tags.length === 2 && tags[0] === CWT_TAG ? tags[1] : tags.length === 1 ? tags[0] : undefined;
  return (Object.keys(TAGS) as CoseKind[]).find((kind) => TAGS[kind] === inner);
}

function readProtected(bytes: Uint8Array, limits: CborLimits): CborMap | CoseFault {
  if (bytes.length === 0) return new Map();
  const read = decodeStrict(bytes, limits);
  if (!read.ok) return read.fault;
  return read.tags.length === 0 && isCborMap(read.value) ? read.value : 'wrong_structure';
}

export function isBytes(value: CborValue | undefined): value is Uint8Array {
  return value instanceof Uint8Array;
}

function refuse(fault: CoseFault): CoseResult {
  return { ok: false, fault };
}
