/**
 * Reads the members that the audit index needs out of an event's canonical bytes, in one pass and without parsing them
 * whole: this runs once for every token. Strings are taken as they are written, escapes and all: canonical JSON writes
 * a string in one way only.
 */

export const INDEXED_MEMBERS = [
  'id',
  'identity',
  'jti',
  'outcome',
  'parent',
  'request_id',
  'resource',
  'type',
] as const;
export type IndexedMember = (typeof INDEXED_MEMBERS)[number];

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const ZERO = 0x30;

/** FNV-1a of 32 bits, over a name or a value. */
const BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/** Filled by each scan and used again for the next. */
export interface ScannedEvent {
  seq: number;
  /** Epoch ms. */
  at: number;
  /** By place in `INDEXED_MEMBERS`: a key of 32 bits for name and value, or −1 where the member is absent. */
  readonly keys: Float64Array;
}

export function scannedEvent(): ScannedEvent {
  return { seq: 0, at: 0, keys: new Float64Array(INDEXED_MEMBERS.length) };
}

/** Throws when the bytes at `start` are no event. Reads no byte at or behind `end`. */
export function scanEvent(bytes: Uint8Array, start: number, end: number, into: ScannedEvent): void {
  into.keys.fill(-1);
  into.seq = 0;
  let at = start;
  if (bytes[at] !== OPEN_BRACE) throw notAnEvent(start);
  do {
    // At the brace or the comma before a member.
    let name = BASIS;
    let value = at + 2;
    for (; value < end && bytes[value] !== QUOTE; value++) name = step(name, bytes[value] as number);
    value += 2;
    if (bytes[value] === QUOTE) {
      const place = PLACES.get(name);
      if (place !== undefined) at = keyInto(into.keys, place, bytes, value, end);
      else {
        at = endOfString(bytes, value, end) + 1;
        if (name === AT) into.at = instantAt(bytes, value + 1, at - 1);
      }
    } else {
      at = endOfValue(bytes, value, end);
      if (name === SEQ) into.seq = numberAt(bytes, value, at);
    }
  } while (at < end && bytes[at] === COMMA);
  if (bytes[at] !== CLOSE_BRACE || !(into.seq > 0)) throw notAnEvent(start);
}

/** The key that an event has whose member has this value. */
export function keyOfMember(member: IndexedMember, value: string): number {
  // By way of UTF-8 a lone surrogate becomes U+FFFD, as it does in the log.
  const written = Buffer.from(JSON.stringify(Buffer.from(value, 'utf8').toString('utf8')), 'utf8');
  const keys = new Float64Array(INDEXED_MEMBERS.length);
  const place = INDEXED_MEMBERS.indexOf(member);
  keyInto(keys, place, written, 0, written.length);
  return keys[place] as number;
}

function step(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, PRIME);
}

function hashOf(name: string): number {
  return Buffer.from(name, 'latin1').reduce(step, BASIS);
}

const PLACES: ReadonlyMap<number, number> = new Map(
  INDEXED_MEMBERS.map((name, index) => [hashOf(name), index]),
);
const AT = hashOf('at');
const SEQ = hashOf('seq');

/**
 * The key of the string whose opening quote is at `from`; gives the place behind its closing quote. Each member begins
 * differently. Two values may share a key: who searches looks at the text.
 */
function keyInto(keys: Float64Array, place: number, bytes: Uint8Array, from: number, end: number): number {
  let hash = BASIS ^ Math.imul(place + 1, 0x9e3779b9);
  let at = from + 1;
  for (; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) break;
    hash = step(hash, byte);
    if (byte === BACKSLASH) hash = step(hash, bytes[++at] as number);
  }
  if (at >= end) throw notAnEvent(from);
  keys[place] = (hash ^ (hash >>> 15)) >>> 0;
  return at + 1;
}

/** The closing quote of the string whose opening quote is at `from`. */
function endOfString(bytes: Uint8Array, from: number, end: number): number {
  for (let at = from + 1; at < end; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) at++;
  }
  throw notAnEvent(from);
}

/** Behind the number, literal, object or array that begins at `from`. */
function endOfValue(bytes: Uint8Array, from: number, end: number): number {
  let depth = 0;
  for (let at = from; at < end; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) at = endOfString(bytes, at, end);
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (depth === 0) return at;
      depth--;
    } else if (byte === COMMA && depth === 0) return at;
  }
  throw notAnEvent(from);
}

function numberAt(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = (bytes[at] as number) - ZERO;
    if (digit < 0 || digit > 9) throw notAnEvent(from);
    value = value * 10 + digit;
  }
  return value;
}

/** `2026-11-21T21:54:00.123Z`: the calendar is asked once a day, the rest is digits. */
let day = '';
let dayAt = 0;
let dayKey = 0;

function instantAt(bytes: Uint8Array, from: number, to: number): number {
  if (to - from !== 24) throw notAnEvent(from);
  const two = (at: number): number => numberAt(bytes, from + at, from + at + 2);
  const key = (numberAt(bytes, from, from + 4) * 100 + two(5)) * 100 + two(8);
  if (key !== dayKey) {
    day = Buffer.from(bytes.subarray(from, from + 10)).toString('latin1');
    dayAt = Date.parse(`${day}T00:00:00.000Z`);
    if (Number.isNaN(dayAt)) throw notAnEvent(from);
    dayKey = key;
  }
  const millis = numberAt(bytes, from + 20, from + 23);
  return dayAt + two(11) * 3_600_000 + two(14) * 60_000 + two(17) * 1000 + millis;
}

function notAnEvent(at: number): Error {
  return new Error(`no audit event at byte ${at}`);
}
