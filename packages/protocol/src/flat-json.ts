// JSON objects in their plainest form (RFC 8259 §4), which is how most access tokens are written, read in one pass.
import { asBuffer } from './as-buffer.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
/** So many digits are a number without loss. */
const MAX_DIGITS = 15;

/** Node's own, without the search for an encoding. */
type Latin1 = Buffer & { latin1Slice(start: number, end: number): string };

export interface FlatJson {
  readonly text: string;
  /** In the order of the names that were asked for. */
  readonly values: readonly (string | number | undefined)[];
}

/**
 * The members of an object of one level: printable ASCII without a blank between, strings without escapes and whole
 * numbers from 1, each name one of `names` and there once. `undefined` for anything else, be it good or bad: that is for
 * `parseJsonObject` to say.
 */
export function readFlatJson(
  bytes: Uint8Array,
  length: number,
  names: readonly string[],
): FlatJson | undefined {
  const text = (asBuffer(bytes) as Latin1).latin1Slice(0, length);
  const values = names.map((): string | number | undefined => undefined);
  let at = 0;
  if (bytes[0] !== 0x7b) return undefined;
  do {
    if (bytes[++at] !== QUOTE) return undefined;
    let start = ++at;
    at = endOfString(bytes, start, length);
    const slot = names.indexOf(text.slice(start, at));
    if (slot < 0 || values[slot] !== undefined || bytes[at] !== QUOTE || bytes[++at] !== COLON) {
      return undefined;
    }
    start = ++at;
    if (bytes[at] === QUOTE) {
      at = endOfString(bytes, ++start, length);
      if (bytes[at] !== QUOTE) return undefined;
      values[slot] = text.slice(start, at++);
    } else {
      let number = 0;
      for (let digit = bytes[at] as number; digit >= ZERO && digit <= NINE; digit = bytes[++at] as number) {
        number = number * 10 + digit - ZERO;
      }
      if (at === start || at - start > MAX_DIGITS || bytes[start] === ZERO) return undefined;
      values[slot] = number;
    }
  } while (bytes[at] === COMMA);
  // What comes behind `length` is not of this object: whoever read into it has not ended here.
  return at === length - 1 && bytes[at] === 0x7d ? { text, values } : undefined;
}

/** Where the first byte is that may not stand in a plain string: its quote, if it is one. */
function endOfString(bytes: Uint8Array, start: number, length: number): number {
  let at = start;
  for (; at < length; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE || byte === BACKSLASH || byte < 0x20 || byte > 0x7e) break;
  }
  return at;
}
