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

/** Names in the order in which they mostly come, as bytes. */
export type FlatNames = readonly Uint8Array[];

export function flatNames(names: readonly string[]): FlatNames {
  return names.map((name) => new TextEncoder().encode(name));
}

/**
 * The members of an object of one level: printable ASCII without a blank between, strings without escapes and whole
 * numbers from 1, each name one of `names` and there once. `undefined` for anything else, be it good or bad: that is for
 * `parseJsonObject` to say.
 */
export function readFlatJson(bytes: Uint8Array, length: number, names: FlatNames): FlatJson | undefined {
  const text = (asBuffer(bytes) as Latin1).latin1Slice(0, length);
  const values: (string | number | undefined)[] = [];
  for (let slot = 0; slot < names.length; slot++) values.push(undefined);
  let at = 0;
  let slot = -1;
  if (bytes[0] !== 0x7b) return undefined;
  do {
    if (bytes[++at] !== QUOTE) return undefined;
    slot = slotOf(names, slot + 1, bytes, ++at);
    if (slot < 0 || values[slot] !== undefined) return undefined;
    at += (names[slot] as Uint8Array).length;
    // The name ended here: its quote, and the colon.
    if (bytes[++at] !== COLON) return undefined;
    const start = ++at;
    if (bytes[at] === QUOTE) {
      at = endOfString(bytes, start + 1, length);
      if (bytes[at] !== QUOTE) return undefined;
      values[slot] = text.slice(start + 1, at++);
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

/** Whose name stands at `at` with the quote that ends it, or -1. The one that is `likely` is looked at first, and those behind it. */
function slotOf(names: FlatNames, likely: number, bytes: Uint8Array, at: number): number {
  for (let slot = likely; slot < names.length; slot++)
    if (isAt(names[slot] as Uint8Array, bytes, at)) return slot;
  for (let slot = 0; slot < likely; slot++) if (isAt(names[slot] as Uint8Array, bytes, at)) return slot;
  return -1;
}

function isAt(name: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let letter = 0; letter < name.length; letter++) if (bytes[at + letter] !== name[letter]) return false;
  return bytes[at + name.length] === QUOTE;
}

/** Where the first byte is that may not stand in a plain string: its quote, if it is one. */
function endOfString(bytes: Uint8Array, start: number, length: number): number {
  let at = start;
  while (at < length && ENDS[bytes[at] as number] === 0) at++;
  return at;
}

/** 1 for each byte that may not stand in a plain string. */
const ENDS: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === QUOTE || byte === BACKSLASH || byte < 0x20 || byte > 0x7e ? 1 : 0,
);
