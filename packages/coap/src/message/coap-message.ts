// CoAP messages over UDP and DTLS: RFC 7252 §3, §4.2, §12.

export type CoapType = 0 | 1 | 2 | 3;
export const TYPE = { confirmable: 0, nonConfirmable: 1, acknowledgement: 2, reset: 3 } as const;

/** `class` times 32 and `detail`: RFC 7252 §3. */
export const CODE = {
  empty: 0x00,
  get: 0x01,
  post: 0x02,
  put: 0x03,
  delete: 0x04,
  fetch: 0x05,
  patch: 0x06,
  ipatch: 0x07,
  created: 0x41,
  content: 0x45,
  continue: 0x5f,
  badRequest: 0x80,
  unauthorized: 0x81,
  badOption: 0x82,
  forbidden: 0x83,
  methodNotAllowed: 0x85,
  notAcceptable: 0x86,
  requestEntityIncomplete: 0x88,
  requestEntityTooLarge: 0x8d,
  tooManyRequests: 0x9d,
  serviceUnavailable: 0xa3,
  proxyingNotSupported: 0xa5,
} as const;

/** RFC 7252 §12.2, RFC 7641 §2, RFC 7959 §2.1, §4. */
export const OPTION = {
  uriHost: 3,
  observe: 6,
  uriPort: 7,
  uriPath: 11,
  contentFormat: 12,
  maxAge: 14,
  uriQuery: 15,
  accept: 17,
  block2: 23,
  block1: 27,
  proxyUri: 35,
  proxyScheme: 39,
  size1: 60,
} as const;

export interface CoapOption {
  readonly number: number;
  readonly value: Uint8Array;
}

export interface CoapMessage {
  readonly type: CoapType;
  readonly code: number;
  readonly messageId: number;
  readonly token: Uint8Array;
  /** In the order of their numbers. */
  readonly options: readonly CoapOption[];
  readonly payload: Uint8Array;
}

const MOST_OPTIONS = 64;
const NO_BYTES = new Uint8Array(0);
const PAYLOAD_MARKER = 0xff;

/** Undefined for what is none. The parts are views of `bytes`. Never throws. */
export function readCoap(bytes: Uint8Array): CoapMessage | undefined {
  const [first, code, idHigh, idLow] = bytes;
  if (first === undefined || code === undefined || idHigh === undefined || idLow === undefined)
    return undefined;
  const tokenLength = first & 15;
  // RFC 7252 §3: version 1; lengths 9 to 15 are reserved.
  if (first >> 6 !== 1 || tokenLength > 8 || bytes.length < 4 + tokenLength) return undefined;
  // RFC 7252 §4.1: an empty message is four bytes.
  if (code === CODE.empty && bytes.length > 4) return undefined;
  const read = readOptions(bytes, 4 + tokenLength);
  if (read === undefined) return undefined;
  return {
    type: ((first >> 4) & 3) as CoapType,
    code,
    messageId: (idHigh << 8) | idLow,
    token: bytes.subarray(4, 4 + tokenLength),
    ...read,
  };
}

export function writeCoap({ type, code, messageId, token, options, payload }: CoapMessage): Uint8Array {
  const parts: Uint8Array[] = [
    Uint8Array.of(0x40 | (type << 4) | token.length, code, messageId >> 8, messageId & 0xff),
    token,
  ];
  let before = 0;
  for (const { number, value } of options) {
    parts.push(optionHead(number - before, value.length), value);
    before = number;
  }
  if (payload.length > 0) parts.push(Uint8Array.of(PAYLOAD_MARKER), payload);
  return Buffer.concat(parts);
}

export function isRequest({ code }: Pick<CoapMessage, 'code'>): boolean {
  return code >= 0x01 && code <= 0x1f;
}

/** Values of an option that may come more than once. */
export function optionValues(
  { options }: Pick<CoapMessage, 'options'>,
  number: number,
): readonly Uint8Array[] {
  return options.filter((option) => option.number === number).map(({ value }) => value);
}

/** RFC 7252 §3.2: a number in as few bytes as it needs; undefined where the option is not there, or is no number. */
export function optionNumber(message: Pick<CoapMessage, 'options'>, number: number): number | undefined {
  const value = optionValues(message, number)[0];
  return value === undefined || value.length > 4
    ? undefined
    : value.reduce((sum, byte) => sum * 256 + byte, 0);
}

export function numberOption(number: number, value: number): CoapOption {
  const bytes: number[] = [];
  for (let left = value; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256);
  return { number, value: Uint8Array.from(bytes) };
}

function readOptions(
  bytes: Uint8Array,
  from: number,
): { readonly options: readonly CoapOption[]; readonly payload: Uint8Array } | undefined {
  const options: CoapOption[] = [];
  let number = 0;
  for (let at = from; at < bytes.length; ) {
    const head = bytes[at] as number;
    if (head === PAYLOAD_MARKER) {
      // RFC 7252 §3: a marker with nothing behind it is an error.
      return at + 1 === bytes.length ? undefined : { options, payload: bytes.subarray(at + 1) };
    }
    const delta = extended(bytes, at + 1, head >> 4);
    if (delta === undefined) return undefined;
    const length = extended(bytes, delta.next, head & 15);
    if (length === undefined || length.value > bytes.length - length.next) return undefined;
    number += delta.value;
    if (number > 0xffff || options.length === MOST_OPTIONS) return undefined;
    at = length.next + length.value;
    options.push({ number, value: bytes.subarray(length.next, at) });
  }
  return { options, payload: NO_BYTES };
}

/** RFC 7252 §3.1: 13 has a byte behind it, 14 two, 15 is reserved. */
function extended(
  bytes: Uint8Array,
  at: number,
  nibble: number,
): { readonly value: number; readonly next: number } | undefined {
  if (nibble < 13) return { value: nibble, next: at };
  const first = bytes[at];
  const second = bytes[at + 1];
  if (nibble === 13 && first !== undefined) return { value: first + 13, next: at + 1 };
  if (nibble === 14 && first !== undefined && second !== undefined)
    return { value: ((first << 8) | second) + 269, next: at + 2 };
  return undefined;
}

function optionHead(delta: number, length: number): Uint8Array {
  const [deltaNibble, deltaMore] = nibbleOf(delta);
  const [lengthNibble, lengthMore] = nibbleOf(length);
  return Uint8Array.of((deltaNibble << 4) | lengthNibble, ...deltaMore, ...lengthMore);
}

function nibbleOf(value: number): readonly [number, readonly number[]] {
  if (value < 13) return [value, []];
  if (value < 269) return [13, [value - 13]];
  return [14, [(value - 269) >> 8, (value - 269) & 0xff]];
}
