// base64url without padding: RFC 7515 §2, RFC 4648 §5 and §3.5 (canonical).

const NONE = 64;
/** What each byte stands for: RFC 4648 §5, table 2. */
const VALUES: Uint8Array = new Uint8Array(256).fill(NONE);
let value = 0;
for (const [first, last] of ['AZ', 'az', '09', '--', '__'] as Iterable<string>) {
  for (let code = codeOf(first); code <= codeOf(last); code++) VALUES[code] = value++;
}

function codeOf(char = ''): number {
  return char.charCodeAt(0);
}

/** Node's, where there is one. */
const buffers = (globalThis as { readonly Buffer?: typeof Buffer }).Buffer;
const encoder = new TextEncoder();

/** The bytes, or `undefined` for a foreign character, padding, an impossible length or stray bits in the last character. */
export function decodeBase64url(text: string): Uint8Array | undefined {
  const characters = encoder.encode(text);
  return decodeCharacters(characters, 0, characters.length);
}

/** The same for the characters of a text from `start` to `end`, as bytes. */
export function decodeCharacters(characters: Uint8Array, start: number, end: number): Uint8Array | undefined {
  const length = ((end - start) * 3) >> 2;
  const bytes = new Uint8Array(length);
  return decodeInto(bytes, characters, start, end) === length ? bytes : undefined;
}

/** The same into `bytes`: how many they are, or -1. What each character stands for is looked at in the end. */
export function decodeInto(bytes: Uint8Array, characters: Uint8Array, start: number, end: number): number {
  let length = 0;
  let seen = 0;
  let bits = 0;
  for (let at = start; at < end; at++) {
    const value = VALUES[characters[at] as number] as number;
    const phase = (at - start) & 3;
    seen |= value;
    bits = (bits << 6) | value;
    if (phase !== 0) bytes[length++] = bits >> (6 - 2 * phase);
  }
  const rest = (end - start) & 3;
  // RFC 4648 §3.5: bits that no byte is made of are zero. One character alone is no byte.
  const spare = rest === 0 ? 0 : rest === 1 ? -1 : bits & (rest === 2 ? 0b1111 : 0b11);
  return seen < NONE && spare === 0 ? length : -1;
}

/** Bytes, or the UTF-8 of a text, as base64url. */
export function encodeBase64url(data: Uint8Array | string): string {
  if (buffers !== undefined) {
    const bytes =
      typeof data === 'string'
        ? buffers.from(data, 'utf8')
        : buffers.from(data.buffer, data.byteOffset, data.byteLength);
    return bytes.toString('base64url');
  }
  let binary = '';
  const bytes = typeof data === 'string' ? encoder.encode(data) : data;
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
