// No RFC: Standard Webhooks, "Signature scheme": secrets are `whsec_` and the base64 of 24 to 64 bytes.
import { crc32 } from './crc32.ts';
import type { RandomBytes } from './secret-format.ts';

export const WEBHOOK_SECRET_PREFIX = 'whsec_';

const RANDOM_BYTES = 29;
const CHECKSUM_BYTES = 4;
/** 33 bytes: base64 without padding. Of its alphabet only what a double click takes along. */
const SECRET = /^whsec_([0-9A-Za-z]{44})$/;

/**
 * 29 random bytes and their checksum, so that a scanner can tell a secret of ours from other text. Drawn again until it is of
 * letters and digits alone, four times on average: that costs two of 232 bits.
 */
export function generateWebhookSecret(random: RandomBytes): string {
  for (;;) {
    const body = random(RANDOM_BYTES).slice(0, RANDOM_BYTES);
    const secret = WEBHOOK_SECRET_PREFIX + base64Of([...body, ...checksumOf(body)]);
    if (SECRET.test(secret)) return secret;
  }
}

/** The key that a secret stands for; `undefined` when shape or checksum are wrong. Says nothing about being valid. */
export function webhookSecretKey(text: string): Uint8Array | undefined {
  const match = SECRET.exec(text);
  if (match === null) return undefined;
  const bytes = Uint8Array.from(atob(match[1] as string), (character) => character.charCodeAt(0));
  const body = bytes.slice(0, RANDOM_BYTES);
  const expected = checksumOf(body);
  return expected.every((byte, at) => byte === bytes[RANDOM_BYTES + at]) ? bytes : undefined;
}

function checksumOf(body: Uint8Array): readonly number[] {
  const sum = crc32(String.fromCharCode(...body));
  return Array.from({ length: CHECKSUM_BYTES }, (_, at) => (sum >>> (8 * (CHECKSUM_BYTES - 1 - at))) & 0xff);
}

function base64Of(bytes: readonly number[]): string {
  return btoa(String.fromCharCode(...bytes));
}
