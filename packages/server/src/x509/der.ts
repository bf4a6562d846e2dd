// Distinguished encoding rules, X.690 §10 and §11: one encoding for each value, and every other one is refused.

/** What is not the one encoding of a value. The text is for operators; it holds nothing of the input. */
export class DerError extends Error {
  constructor(message: string) {
    // Strangers send such input: it must not cost a stack trace.
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = limit;
    this.name = 'DerError';
  }
}

/** One tag, length and content. Views of the array that was read: nothing is copied. */
export interface DerElement {
  /** Class, form and number in one byte, as in the encoding. */
  readonly tag: number;
  readonly content: Uint8Array;
  /** Tag, length and content. */
  readonly whole: Uint8Array;
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The tag of a context-specific element: `constructed` for what holds other elements. */
export function context(number: number, constructed: boolean): number {
  return (constructed ? 0xa0 : 0x80) | number;
}

/** Reads elements that follow each other. Depth is the caller's: nothing here calls itself. */
export class DerReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(content: Uint8Array) {
    this.#bytes = content;
  }

  get ended(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The tag of what comes next; undefined at the end. */
  get nextTag(): number | undefined {
    return this.#bytes[this.#at];
  }

  next(tag?: number): DerElement {
    const bytes = this.#bytes;
    const start = this.#at;
    const found = bytes[start];
    if (found === undefined) throw new DerError('something is missing');
    if (tag !== undefined && found !== tag) throw new DerError('another type than expected');
    // X.690 §8.1.2.4: numbers from 31 on take several bytes. No certificate has one.
    if ((found & 0x1f) === 0x1f) throw new DerError('a tag of several bytes');
    const { from, to } = extent(bytes, start + 1);
    this.#at = to;
    return { tag: found, content: bytes.subarray(from, to), whole: bytes.subarray(start, to) };
  }

  /** The next element when it has this tag. */
  optional(tag: number): DerElement | undefined {
    return this.nextTag === tag ? this.next(tag) : undefined;
  }

  /** A reader of what the next element holds. */
  inside(tag: number): DerReader {
    return new DerReader(this.next(tag).content);
  }

  end(): void {
    if (!this.ended) throw new DerError('something is left over');
  }
}

/** The only element of `bytes`. */
export function onlyElement(bytes: Uint8Array, tag?: number): DerElement {
  const reader = new DerReader(bytes);
  const element = reader.next(tag);
  reader.end();
  return element;
}

/** X.690 §10.1: definite, in the fewest bytes. Three of them are more than any limit here. */
function extent(bytes: Uint8Array, at: number): { from: number; to: number } {
  const first = bytes[at];
  if (first === undefined) throw new DerError('a length is missing');
  let from = at + 1;
  let length = first;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 3) throw new DerError('a length of an unusable form');
    length = 0;
    for (let i = 0; i < count; i++) {
      const byte = bytes[from + i];
      if (byte === undefined) throw new DerError('a length is cut off');
      length = length * 256 + byte;
    }
    from += count;
    if (length < 0x80 || length < 256 ** (count - 1)) throw new DerError('a length is not the shortest');
  }
  if (from + length > bytes.length) throw new DerError('cut off');
  return { from, to: from + length };
}

/** X.690 §11.1. */
export function readBoolean({ content }: DerElement): boolean {
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) throw new DerError('a bad boolean');
  return content[0] === 0xff;
}

/** X.690 §8.3: the bytes of an integer, in two's complement, none too many. */
export function readInteger({ content }: DerElement): Uint8Array {
  const [first, second] = content;
  if (first === undefined) throw new DerError('an empty integer');
  if (second !== undefined && (first === 0 || first === 0xff) && first >> 7 === second >> 7) {
    throw new DerError('an integer is not the shortest');
  }
  return content;
}

/** An integer from 0 to 2³¹ - 1. */
export function readSmallInteger(element: DerElement): number {
  const bytes = readInteger(element);
  if (bytes.length > 4 || (bytes[0] as number) & 0x80) throw new DerError('an integer is out of range');
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

/** X.690 §8.6, whole bytes only. */
export function readBytesOfBits({ content }: DerElement): Uint8Array {
  if (content[0] !== 0) throw new DerError('a bit string that is not of bytes');
  return content.subarray(1);
}

/** X.690 §11.2.2: a list of named bits, none of the last ones zero. Bit 0 is the first. */
export function readNamedBits({ content }: DerElement): ReadonlySet<number> {
  const [unused, ...bytes] = content;
  const last = bytes.at(-1);
  const fits = last === undefined ? unused === 0 : unused !== undefined && unused < 8 && bytes.length <= 4;
  if (!fits || (last !== undefined && (last >> (unused as number)) % 2 === 0)) {
    throw new DerError('bad named bits');
  }
  if (last !== undefined && (last & ((1 << (unused as number)) - 1)) !== 0)
    throw new DerError('bad named bits');
  const set = new Set<number>();
  bytes.forEach((byte, i) => {
    for (let bit = 0; bit < 8; bit++) if (byte & (0x80 >> bit)) set.add(i * 8 + bit);
  });
  return set;
}

const MAX_OID_BYTES = 64;

/** X.690 §8.19, in dotted decimal. */
export function readObjectIdentifier({ content }: DerElement): string {
  const last = content.at(-1);
  if (last === undefined || content.length > MAX_OID_BYTES || last & 0x80) {
    throw new DerError('a bad object identifier');
  }
  const arcs: bigint[] = [];
  let value = 0n;
  let starts = true;
  for (const byte of content) {
    if (starts && byte === 0x80) throw new DerError('an arc is not the shortest');
    value = (value << 7n) | BigInt(byte & 0x7f);
    starts = (byte & 0x80) === 0;
    if (starts) {
      arcs.push(value);
      value = 0n;
    }
  }
  const [head = 0n, ...rest] = arcs;
  const first = head < 40n ? 0n : head < 80n ? 1n : 2n;
  return [first, head - first * 40n, ...rest].join('.');
}

const UTC_TIME = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const GENERALIZED_TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/** RFC 5280 §4.1.2.5: UTC, whole seconds. Epoch milliseconds. */
export function readTime({ tag, content }: DerElement): number {
  const text = Buffer.from(content).toString('latin1');
  const short = tag === TAG.utcTime;
  if (!short && tag !== TAG.generalizedTime) throw new DerError('no time');
  const parts = (short ? UTC_TIME : GENERALIZED_TIME).exec(text);
  if (parts === null) throw new DerError('a time of another form');
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number);
  const full = short ? (year < 50 ? 2000 + year : 1900 + year) : year;
  const at = new Date(0);
  at.setUTCFullYear(full, month - 1, day);
  at.setUTCHours(hour, minute, second);
  // 31 February would have become March.
  const exact =
    at.getUTCMonth() === month - 1 && at.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  if (!exact) throw new DerError('no such time');
  return at.getTime();
}
