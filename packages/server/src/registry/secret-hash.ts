import { createHmac, createSecretKey, hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { CredentialRecord, CredentialType } from '../storage/credentials.ts';

/**
 * Digests of machine-made secrets. They carry at least 160 random bits, so a keyed hash is enough and a password hash
 * would only cost the token path four orders of magnitude; the key lies outside the database.
 */
export interface SecretHash {
  /** HMAC-SHA-256, base64url: what the database holds. */
  digest(secret: string): string;
  /** Whether the secret has this digest; for undefined the same work, and no. */
  equals(secret: string, digest: string | undefined): boolean;
  /**
   * The credential of this type whose digest this secret has. Compares every candidate, and one when there is none. A
   * secret of one type is never taken for one of another, whatever its digest.
   */
  match(
    secret: string,
    credentials: readonly CredentialRecord[],
    type?: SecretType,
  ): CredentialRecord | undefined;
}

/** Types whose proof is a machine-made secret. */
export type SecretType = Extract<CredentialType, 'client_secret' | 'api_key'>;

const DIGEST_BYTES = 32;
const MAX_SECRET_CHARS = 512;

/** `key` is derived from the master key for this purpose alone, 32 bytes. */
export function createSecretHash(key: Uint8Array): SecretHash {
  const nobody = Buffer.alloc(DIGEST_BYTES);
  const hmacKey = createSecretKey(key);
  /** Decoded once per credential version: the records are immutable and cached. */
  const decoded = new WeakMap<CredentialRecord, Buffer>();
  /**
   * Secrets that have matched, as a hash under a value that is this process's alone: one hash call instead of a
   * five times dearer HMAC object for every further request. Goes with the record, hence with every change of it.
   */
  const processKey = randomBytes(DIGEST_BYTES).toString('base64url');
  const seen = new WeakMap<CredentialRecord, string>();

  function hmac(secret: string): Buffer {
    return createHmac('sha256', hmacKey).update(secret).digest();
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

    equals(secret, digest) {
      const given = hmac(secret.length > MAX_SECRET_CHARS ? '' : secret);
      const known = digest === undefined ? nobody : Buffer.from(digest, 'base64url');
      return timingSafeEqual(given, known.length === DIGEST_BYTES ? known : nobody) && digest !== undefined;
    },

    match(secret, credentials, type = 'client_secret') {
      const bounded = secret.length > MAX_SECRET_CHARS ? '' : secret;
      const quick = hash('sha256', processKey + bounded, 'base64url');
      for (const credential of credentials) {
        if (seen.get(credential) === quick && credential.material.type === type) return credential;
      }
      const given = hmac(bounded);
      let matched: CredentialRecord | undefined;
      let compared = false;
      for (const credential of credentials) {
        const { material } = credential;
        if (material.type !== type || !('digest' in material)) continue;
        compared = true;
        if (timingSafeEqual(given, expected(credential, material.digest))) matched = credential;
      }
      if (!compared) timingSafeEqual(given, nobody);
      if (matched !== undefined) seen.set(matched, quick);
      return matched;
    },
  };
}
