// CBOR as a security token may have it: RFC 8949 §4.2.1 (one encoding for one value), read as §5.3.1 and §5.6 allow a strict decoder to.
import { isUtf8 } from 'node:buffer';
import { decode, encode } from 'cborg';

/** What is read here: no floats, no bignums, no tags inside, keys that are numbers or texts. */
export type CborValue = number | string | boolean | null | Uint8Array | readonly CborValue[] | CborMap;
export type CborMap = ReadonlyMap<CborKey, CborValue>;
export type CborKey = number | string;

export type CborFault = 'too_large' | 'too_deep' | 'not_cbor' | 'not_deterministic' | 'not_allowed';

export type CborResult =
  | { readonly ok: true; readonly value: CborValue /** Outermost first. */; readonly tags: readonly number[] }
  | { readonly ok: false; readonly fault: CborFault };

export interface CborLimits {
  readonly maxBytes: number;
  /** Arrays and maps within each other. */
  readonly maxDepth: number;
  /**
   * Default: the one encoding that a value has, as in a token. `any`: whatever a device writes in a request, longer heads and maps and arrays
   * without a length among them; text and bytes in one piece all the same.
   */
  readonly encoding?: 'any';
}

/** A token is a few hundred bytes, and no claim of it is deep. */
export const TOKEN_LIMITS: CborLimits = { maxBytes: 1024, maxDepth: 6 };
/** Tags around the whole: CWT (61) and one of COSE's. */
const MOST_TAGS = 2;

const DECODING = {
  strict: true,
  useMaps: true,
  rejectDuplicateMapKeys: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowBigInt: false,
} as const;

const DECODING_ANY = { ...DECODING, strict: false, allowIndefinite: true } as const;

/**
 * Reads one value that is the whole of `bytes`. Size, depth and form are looked at before anything is built. Never throws.
 */
export function decodeStrict(bytes: Uint8Array, limits: CborLimits = TOKEN_LIMITS): CborResult {
  if (bytes.length > limits.maxBytes) return refuse('too_large');
  const tags: number[] = [];
  let at = 0;
  while (majorOf(bytes, at) === TAG) {
    const head = readHead(bytes, at, limits.encoding === 'any');
    if (typeof head === 'string') return refuse(head);
    if (tags.length === MOST_TAGS) return refuse('not_allowed');
    tags.push(head.value);
    at = head.next;
  }
  const fault = shapeFault(bytes, at, limits);
  if (fault !== undefined) return refuse(fault);
  try {
    const value: unknown = decode(bytes.subarray(at), limits.encoding === 'any' ? DECODING_ANY : DECODING);
    return { ok: true, value: value as CborValue, tags };
  } catch {
    // What the shape does not show: the same key twice.
    return refuse('not_allowed');
  }
}

/** The one encoding of a value: shortest heads, keys in order (RFC 8949 §4.2.1). */
export function encodeCbor(value: CborValue): Uint8Array {
  return encode(value);
}

export function isCborMap(value: CborValue | undefined): value is CborMap {
  return value instanceof Map;
}

interface Head {
  readonly major: number;
  readonly value: number;
  readonly next: number;
}

const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;
const SIMPLE = 7;
const NEGATIVE = 1;

function majorOf(bytes: Uint8Array, at: number): number | undefined {
  const first = bytes[at];
  return first === undefined ? undefined : first >> 5;
}

/** Without recursion: how deep it goes is the sender's choice, how deep it may is not. */
function shapeFault(bytes: Uint8Array, from: number, limits: CborLimits): CborFault | undefined {
  /** Items that are still to come at each level (endless: until a break), and whether they are keys and values in turn. */
  const open: { left: number; done: number; readonly isMap: boolean }[] = [
    { left: 1, done: 0, isMap: false },
  ];
  let at = from;
  for (let level = open.at(-1); level !== undefined; level = open.at(-1)) {
    if (level.left === 0) {
      open.pop();
      continue;
    }
    const isKey = level.isMap && level.done % 2 === 0;
    if (level.left === Number.POSITIVE_INFINITY && bytes[at] === BREAK) {
      // RFC 8949 §3.2.2: not between a key and its value.
      if (level.isMap && !isKey) return 'not_cbor';
      at++;
      open.pop();
      continue;
    }
    level.left--;
    level.done++;
    const head = readHead(bytes, at, limits.encoding === 'any');
    if (typeof head === 'string') return head;
    at = head.next;
    const { major, value } = head;
    // RFC 9052 §1.4: labels are integers or texts.
    if (isKey && major > NEGATIVE && major !== TEXT) return 'not_allowed';
    if (major === BYTES || major === TEXT) {
      if (value > bytes.length - at) return 'not_cbor';
      if (major === TEXT && !isUtf8(bytes.subarray(at, at + value))) return 'not_cbor';
      at += value;
    } else if (major === ARRAY || major === MAP) {
      if (open.length > limits.maxDepth) return 'too_deep';
      // Each item has a byte at least: who promises more than there is, is not listened to.
      if (value > bytes.length - at && value !== Number.POSITIVE_INFINITY) return 'not_cbor';
      open.push({ left: major === MAP ? value * 2 : value, done: 0, isMap: major === MAP });
    } else if (major === TAG) return 'not_allowed';
  }
  return at === bytes.length ? undefined : 'not_cbor';
}

/** RFC 8949 §3.2.1: the end of what has no length. */
const BREAK = 0xff;
const WIDTHS = [1, 2, 4, 8];
/** The smallest that needs that width. */
const LEAST = [24, 0x100, 0x1_0000, 0x1_0000_0000];

function readHead(bytes: Uint8Array, at: number, anyEncoding: boolean): Head | CborFault {
  const first = bytes[at];
  if (first === undefined) return 'not_cbor';
  const major = first >> 5;
  const info = first & 31;
  if (info < 24) {
    // RFC 8949 §3.3: 20 false, 21 true, 22 null; nothing else means anything here.
    if (major === SIMPLE && (info < 20 || info > 22)) return 'not_allowed';
    return { major, value: info, next: at + 1 };
  }
  const width = WIDTHS[info - 24];
  if (width === undefined) {
    if (info !== 31 || first === BREAK) return 'not_cbor';
    if (!anyEncoding || (major !== ARRAY && major !== MAP)) return 'not_deterministic';
    return { major, value: Number.POSITIVE_INFINITY, next: at + 1 };
  }
  if (at + 1 + width > bytes.length) return 'not_cbor';
  // Fractions, of which nothing here has any.
  if (major === SIMPLE) return 'not_allowed';
  let value = 0;
  for (let i = 1; i <= width; i++) value = value * 256 + (bytes[at + i] as number);
  if (!anyEncoding && value < (LEAST[info - 24] as number)) return 'not_deterministic';
  if (!Number.isSafeInteger(value)) return 'not_allowed';
  return { major, value, next: at + 1 + width };
}

function refuse(fault: CborFault): CborResult {
  return { ok: false, fault };
}
