// Client credentials in the Authorization header: RFC 6749 §2.3.1 inside RFC 7617 §2.
import { decodeFormText, encodeFormText, type FormTextFault } from './form-encoding.ts';
import { decodeUtf8 } from './utf8.ts';

export type BasicCredentialsFault =
  | FormTextFault
  | 'not_basic'
  | 'too_long'
  | 'bad_base64'
  | 'no_colon'
  | 'control_character';

export type BasicCredentialsResult =
  | { readonly ok: true; readonly id: string; readonly secret: string }
  | { readonly ok: false; readonly fault: BasicCredentialsFault };

const MAX_CHARS = 8192;
const BASIC = /^basic +([A-Za-z0-9+/]+={0,2})$/i;
const COLON = 0x3a;
const CONTROL = /[\x00-\x1f\x7f]/;

/**
 * Reads id and secret from the value of an Authorization header. Both are form-decoded, as RFC 6749 §2.3.1 wants;
 * text with neither `%` nor `+` reads the same raw, so clients that forget to encode get through with the ids and
 * secrets that are issued here. Which of the two a broken value was meant to be is never guessed.
 */
export function parseBasicCredentials(headerValue: string): BasicCredentialsResult {
  if (headerValue.length > MAX_CHARS) return { ok: false, fault: 'too_long' };
  return plainCredentials(headerValue) ?? strictCredentials(headerValue);
}

/** Printable ASCII in which form-decoding changes nothing: neither `%` nor `+`. */
const PLAIN = /^[\x20-\x24\x26-\x2a\x2c-\x7e]*$/;

/**
 * What every client of this authority sends, read at a quarter of the price: the strict reading of the same text says the
 * same (basic-credentials.test.ts). Anything else, and anything doubtful, is `undefined` here.
 */
function plainCredentials(headerValue: string): BasicCredentialsResult | undefined {
  if (!headerValue.startsWith('Basic ')) return undefined;
  const encoded = headerValue.slice(6);
  const length = scratch.write(encoded, 'base64');
  const text = scratch.toString('latin1', 0, length);
  if (!PLAIN.test(text) || scratch.toString('base64', 0, length) !== encoded) return undefined;
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : { ok: true, id: text.slice(0, colon), secret: text.slice(colon + 1) };
}

/** Large enough for what `MAX_CHARS` of base64 can hold. Used and left within one call. */
const scratch: Buffer = Buffer.allocUnsafeSlow(8192);

function strictCredentials(headerValue: string): BasicCredentialsResult {
  const encoded = BASIC.exec(headerValue)?.[1];
  if (encoded === undefined) {
    return { ok: false, fault: /^basic(?: |$)/i.test(headerValue) ? 'bad_base64' : 'not_basic' };
  }
  const bytes = Buffer.from(encoded, 'base64');
  // Node's decoder forgives missing padding and stray bits; the same text must come back.
  if (bytes.toString('base64') !== encoded) return { ok: false, fault: 'bad_base64' };
  if (bytes.includes(0)) return { ok: false, fault: 'nul' };
  if (decodeUtf8(bytes) === undefined) return { ok: false, fault: 'bad_utf8' };
  const colon = bytes.indexOf(COLON);
  if (colon === -1) return { ok: false, fault: 'no_colon' };
  const id = decodeFormText(bytes, 0, colon);
  if (!id.ok) return id;
  const secret = decodeFormText(bytes, colon + 1, bytes.length);
  if (!secret.ok) return secret;
  // RFC 7617 §2: neither may contain control characters.
  if (CONTROL.test(id.text) || CONTROL.test(secret.text)) return { ok: false, fault: 'control_character' };
  return { ok: true, id: id.text, secret: secret.text };
}

/** The value of an Authorization header for this client, form-encoded first (RFC 6749 §2.3.1). */
export function formatBasicCredentials(id: string, secret: string): string {
  return `Basic ${Buffer.from(`${encodeFormText(id)}:${encodeFormText(secret)}`, 'latin1').toString('base64')}`;
}
