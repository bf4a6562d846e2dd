// application/x-www-form-urlencoded text: RFC 6749 appendix B.
import { decodeUtf8 } from './utf8.ts';

export type FormTextFault = 'bad_percent_encoding' | 'bad_utf8' | 'nul';

const PLUS = 0x2b;
const PERCENT = 0x25;
const NOT_HEX = 0xff;

const HEX_VALUE: Uint8Array = new Uint8Array(256).fill(NOT_HEX);
for (let digit = 0; digit < 16; digit++) {
  HEX_VALUE[digit.toString(16).charCodeAt(0)] = digit;
  HEX_VALUE[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}

/**
 * Decodes the bytes from `start` to `end`: `+` is a space, `%XX` a byte, the result must be UTF-8 without NUL.
 * Repairs nothing, unlike URLSearchParams.
 */
export function decodeFormText(
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly ok: true; readonly text: string } | { readonly ok: false; readonly fault: FormTextFault } {
  const decoded = Buffer.allocUnsafe(end - start);
  let length = 0;
  for (let at = start; at < end; at++) {
    let byte = bytes[at] as number;
    if (byte === PLUS) byte = 0x20;
    else if (byte === PERCENT) {
      const high = at + 2 < end ? (HEX_VALUE[bytes[at + 1] as number] as number) : NOT_HEX;
      const low = at + 2 < end ? (HEX_VALUE[bytes[at + 2] as number] as number) : NOT_HEX;
      if (high === NOT_HEX || low === NOT_HEX) return { ok: false, fault: 'bad_percent_encoding' };
      byte = (high << 4) | low;
      at += 2;
    }
    if (byte === 0) return { ok: false, fault: 'nul' };
    decoded[length++] = byte;
  }
  const text = decodeUtf8(decoded.subarray(0, length));
  return text === undefined ? { ok: false, fault: 'bad_utf8' } : { ok: true, text };
}

/** Encodes one name or value: everything but `A-Z a-z 0-9 * - . _` is percent-encoded, space becomes `+`. */
export function encodeFormText(text: string): string {
  return encodeURIComponent(text)
    .replace(/%20/g, '+')
    .replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Writes a form body; pairs without a value are left out (RFC 6749 §3.2: they would count as omitted). */
export function formatForm(pairs: readonly (readonly [name: string, value: string | undefined])[]): string {
  return pairs
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${encodeFormText(name)}=${encodeFormText(value as string)}`)
    .join('&');
}
