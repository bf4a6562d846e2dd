// base64url without padding: RFC 7515 §2, RFC 4648 §5 and §3.5 (canonical).
import { asBuffer } from './utf8.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const ONLY_ALPHABET = /^[A-Za-z0-9_-]*$/;

/** The bytes, or `undefined` for a foreign character, padding, an impossible length or stray bits in the last character. */
export function decodeBase64url(text: string): Uint8Array | undefined {
  const rest = text.length % 4;
  if (rest === 1 || !ONLY_ALPHABET.test(text)) return undefined;
  if (rest !== 0) {
    const last = ALPHABET.indexOf(text[text.length - 1] as string);
    if ((last & (rest === 2 ? 0b1111 : 0b11)) !== 0) return undefined;
  }
  return Buffer.from(text, 'base64url');
}

/** Bytes, or the UTF-8 of a text, as base64url. */
export function encodeBase64url(data: Uint8Array | string): string {
  return (typeof data === 'string' ? Buffer.from(data, 'utf8') : asBuffer(data)).toString('base64url');
}
