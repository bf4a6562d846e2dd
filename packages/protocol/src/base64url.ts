// base64url without padding: RFC 7515 §2, RFC 4648 §5 and §3.5 (canonical).

/** What each byte stands for: RFC 4648 §5, table 2. What stands for nothing is negative, and makes negative what it is a part of. */
const VALUES: Int8Array = new Int8Array(256).fill(-1);
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
  const valueAt = (at: number): number => VALUES[characters[at] as number] as number;
  const rest = (end - start) & 3;
  let at = start;
  let length = 0;
  let seen = 0;
  // Four at once, which are three bytes: it takes a third of the time of one after the other.
  for (; at < end - rest; at += 4) {
    const bits = (valueAt(at) << 18) | (valueAt(at + 1) << 12) | (valueAt(at + 2) << 6) | valueAt(at + 3);
    bytes[length++] = bits >> 16;
    bytes[length++] = bits >> 8;
    bytes[length++] = bits;
    seen |= bits;
  }
  let bits = 0;
  for (; at < end; at++) bits = (bits << 6) | valueAt(at);
  let spare = rest * 6;
  while (spare >= 8) bytes[length++] = bits >> (spare -= 8);
  // RFC 4648 §3.5: bits that no byte is made of are zero. One character alone is no byte.
  return (seen | bits) >= 0 && rest !== 1 && (bits & ((1 << spare) - 1)) === 0 ? length : -1;
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
