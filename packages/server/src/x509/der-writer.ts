// Distinguished encoding rules, X.690 §10 and §11, the other way round: what der.ts reads. Values come from here, never from
// strangers: what does not fit is a bug and throws.
import { TAG } from './der.ts';

/** Tag, length in the fewest bytes (X.690 §10.1), content. */
export function element(tag: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(tag, ...lengthOf(content.length)), content]);
}

function lengthOf(size: number): readonly number[] {
  if (size < 0x80) return [size];
  if (size < 0x100) return [0x81, size];
  if (size < 0x10000) return [0x82, size >> 8, size & 0xff];
  if (size < 0x1000000) return [0x83, size >> 16, (size >> 8) & 0xff, size & 0xff];
  throw new RangeError('too large to be written');
}

export function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return element(TAG.sequence, Buffer.concat(parts));
}

/** A set of one, which needs no order (X.690 §11.6). */
export function setOfOne(part: Uint8Array): Uint8Array {
  return element(TAG.set, part);
}

/** `[number]` around what it holds. */
export function tagged(number: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return element(0xa0 | number, Buffer.concat(parts));
}

/** `[number]` in place of the tag of a value that holds no others. */
export function implicit(number: number, content: Uint8Array): Uint8Array {
  return element(0x80 | number, content);
}

/** A number that is not negative, from its bytes: none too many, and one more where the first would say "negative" (X.690 §8.3). */
export function integer(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const shortest = bytes.subarray(start);
  const [first = 0] = shortest;
  return element(TAG.integer, first >= 0x80 ? Buffer.concat([Uint8Array.of(0), shortest]) : shortest);
}

export function smallInteger(value: number): Uint8Array {
  return integer(Buffer.from(value.toString(16).padStart(16, '0'), 'hex'));
}

export function enumerated(value: number): Uint8Array {
  return element(TAG.enumerated, Uint8Array.of(value));
}

export function bitString(bytes: Uint8Array): Uint8Array {
  return element(TAG.bitString, Buffer.concat([Uint8Array.of(0), bytes]));
}

/** Named bits by their number, X.690 §11.2.2: the zero bits at the end are left out. At most eight. */
export function namedBits(...bits: readonly number[]): Uint8Array {
  const byte = bits.reduce((all, bit) => all | (0x80 >> bit), 0);
  return element(TAG.bitString, Uint8Array.of(7 - Math.max(...bits), byte));
}

export function octetString(bytes: Uint8Array): Uint8Array {
  return element(TAG.octetString, bytes);
}

export function utf8String(text: string): Uint8Array {
  return element(TAG.utf8String, Buffer.from(text, 'utf8'));
}

export function printableString(text: string): Uint8Array {
  return element(TAG.printableString, Buffer.from(text, 'latin1'));
}

export const TRUE: Uint8Array = element(TAG.boolean, Uint8Array.of(0xff));

/** RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from then on; whole seconds of epoch milliseconds. */
export function time(at: number): Uint8Array {
  const digits = `${new Date(at).toISOString().slice(0, 19).replace(/\D/g, '')}Z`;
  return digits < '2050'
    ? element(TAG.utcTime, Buffer.from(digits.slice(2), 'latin1'))
    : element(TAG.generalizedTime, Buffer.from(digits, 'latin1'));
}

/** X.690 §8.19: two arcs in the first number, seven bits a byte. Arcs below 2³¹. */
export function objectIdentifier(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(TAG.objectIdentifier, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)));
}

function base128(value: number): readonly number[] {
  return [...base128High(value >> 7), value & 0x7f];
}

function base128High(value: number): readonly number[] {
  return value === 0 ? [] : [...base128High(value >> 7), (value & 0x7f) | 0x80];
}
