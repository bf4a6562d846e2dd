import { createHmac, timingSafeEqual } from 'node:crypto';
import type { CredentialRecord } from '../storage/credentials.ts';

/**
 * Digests of machine-made secrets. They carry at least 160 random bits, so a keyed hash is enough and a password hash
 * would only cost the token path four orders of magnitude; the key lies outside the database.
 */
export interface SecretHash {
  /** HMAC-SHA-256, base64url: what the database holds. */
  digest(secret: string): string;
  /** The secret credential whose digest this secret has. Compares every candidate, and one when there is none. */
  match(secret: string, credentials: readonly CredentialRecord[]): CredentialRecord | undefined;
}

const DIGEST_BYTES = 32;
const MAX_SECRET_CHARS = 512;

/** `key` is derived from the master key for this purpose alone, 32 bytes. */
export function createSecretHash(key: Uint8Array): SecretHash {
  const nobody = Buffer.alloc(DIGEST_BYTES);
  /** Decoded once per credential version: the records are immutable and cached. */
  const decoded = new WeakMap<CredentialRecord, Buffer>();

  function hmac(secret: string): Buffer {
    return createHmac('sha256', key).update(secret).digest();
  }
  function expected(credential: CredentialRecord, text: string): Buffer {
    let bytes = decoded.get(credential);
    if (bytes === undefined) {
      bytes = Buffer.from(text, 'base64url');
      decoded.set(credential, bytes);
    }
    return bytes.length === DIGEST_BYTES ? bytes : nobody;
  }

  return {
    digest: (secret) => hmac(secret).toString('base64url'),

    match(secret, credentials) {
      const given = hmac(secret.length > MAX_SECRET_CHARS ? '' : secret);
      let matched: CredentialRecord | undefined;
      let compared = false;
      for (const credential of credentials) {
        if (credential.material.type !== 'client_secret') continue;
        compared = true;
        if (timingSafeEqual(given, expected(credential, credential.material.digest))) matched = credential;
      }
      if (!compared) timingSafeEqual(given, nobody);
      return matched;
    },
  };
}
