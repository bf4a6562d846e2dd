// Machine-made secrets, RFC 6749 §10.10 (they must not be guessable): kind, public id, 190 random bits, checksum. And how
// opaque tokens begin.
import { crc32 } from './crc32.ts';

/** `csk` client secret · `cak` API key · `cit` initial access token · `cdc` claim code of a device. */
export type SecretKind = 'csk' | 'cak' | 'cit' | 'cdc';

/** How opaque access tokens begin: what tells one from a JWT, and a leaked one from other text. */
export const OPAQUE_TOKEN_PREFIX = 'cot_';

/** Fills as many bytes as asked for from a cryptographic source. */
export type RandomBytes = (bytes: number) => Uint8Array;

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const PUBLIC_ID_CHARS = 8;
const RANDOM_CHARS = 32;
const CHECKSUM_CHARS = 6;
const ANYWHERE = /(?:csk|cak|cit|cdc)_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}/;
const SECRET = /^(csk|cak|cit|cdc)_([0-9A-Za-z]{8})_[0-9A-Za-z]{38}$/;

/**
 * Makes a secret `kind_PUBLICID_RANDOMCHECKSUM`. The public id may be stored and shown, the whole never again.
 * The checksum lets scanners and typing errors be told from wrong secrets without asking the authority.
 */
export function generateSecret(
  kind: SecretKind,
  random: RandomBytes,
): { readonly secret: string; readonly publicId: string } {
  const publicId = randomBase62(PUBLIC_ID_CHARS, random);
  const body = `${kind}_${publicId}_${randomBase62(RANDOM_CHARS, random)}`;
  return { secret: body + checksum(body), publicId };
}

/** Reads kind and public id; `undefined` when shape or checksum are wrong. Says nothing about being valid. */
export function parseSecret(
  text: string,
): { readonly kind: SecretKind; readonly publicId: string } | undefined {
  const match = SECRET.exec(text);
  if (match === null) return undefined;
  const split = text.length - CHECKSUM_CHARS;
  if (checksum(text.slice(0, split)) !== text.slice(split)) return undefined;
  return { kind: match[1] as SecretKind, publicId: match[2] as string };
}

/** Whether a secret stands somewhere in a text: one that its holder put in the wrong place is nobody's to write down. */
export function holdsSecret(text: string): boolean {
  return ANYWHERE.test(text);
}

/** Rejection sampling: bytes from 248 up would make the first eight characters likelier. */
function randomBase62(chars: number, random: RandomBytes): string {
  let text = '';
  while (text.length < chars) {
    for (const byte of random(chars - text.length + 4)) {
      if (byte < 248 && text.length < chars) text += BASE62[byte % 62] as string;
    }
  }
  return text;
}

function checksum(body: string): string {
  let rest = crc32(body);
  let text = '';
  for (let i = 0; i < CHECKSUM_CHARS; i++) {
    text = (BASE62[rest % 62] as string) + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}
