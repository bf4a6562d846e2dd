import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { RandomBytes } from '../ids.ts';

/** Authenticated encryption of what must be stored and read again (AES-256-GCM). */
export interface Seal {
  /** `context` says what is sealed and for whom; opening under another context fails. */
  seal(plain: Uint8Array, context: string): string;
  /** Throws when text, key or context are not those it was sealed with. */
  open(sealed: string, context: string): Uint8Array;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const VERSION = 'v1.';

export function createSeal(key: Uint8Array, random: RandomBytes): Seal {
  return {
    seal(plain, context) {
      const nonce = random(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
      const body = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
      return VERSION + body.toString('base64url');
    },
    open(sealed, context) {
      if (!sealed.startsWith(VERSION)) throw new Error('sealed under an unknown format');
      const body = Buffer.from(sealed.slice(VERSION.length), 'base64url');
      if (body.length < NONCE_BYTES + TAG_BYTES) throw new Error('sealed text is too short');
      const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, NONCE_BYTES));
      decipher.setAAD(Buffer.from(context)).setAuthTag(body.subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    },
  };
}
