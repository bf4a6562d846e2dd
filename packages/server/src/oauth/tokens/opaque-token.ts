// Opaque access tokens: RFC 6749 §1.4. Sealed, not stored: docs/decisions/0012-opaque-tokens-are-sealed.md.
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { decodeBase64url, OPAQUE_TOKEN_PREFIX } from '@countersign/protocol';
import type { Keystore, SealingKey } from '../../keys/keystore.ts';

/** Bytes of the random part, which is also the token's `jti`. */
export const JTI_BYTES = 16;
const KEY_TAG_BYTES = 4;
const HEAD_BYTES = KEY_TAG_BYTES + JTI_BYTES;
const SEAL_BYTES = 16;
/** Each token has a key of its own, which seals once: there is nothing that a nonce would keep apart. */
const NONCE = Buffer.alloc(12);

/** Key tag, jti, and the sealed text: AES-256-GCM under a key that is derived for this jti. Good for `issuer` only. */
export function sealOpaqueToken(key: SealingKey, issuer: string, jti: Uint8Array, text: string): string {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(key.tag);
  head.set(jti, KEY_TAG_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyFor(key, head), NONCE).setAAD(boundTo(issuer, head));
  const body = Buffer.concat([head, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return OPAQUE_TOKEN_PREFIX + body.toString('base64url');
}

export interface OpenedToken {
  readonly kid: string;
  /** The key's. */
  readonly tag: number;
  readonly jti: string;
  readonly text: string;
}

/**
 * Undefined for what was not sealed under a key of this authority for `issuer`; `unknown_key` where that cannot be said,
 * because the key that it names is not here. Never throws.
 */
export function openOpaqueToken(
  keys: Pick<Keystore, 'openingKey'>,
  issuer: string,
  token: string,
): OpenedToken | 'unknown_key' | undefined {
  // Strict: a token has one spelling, or a remembered or revoked one could be shown in another.
  const decoded = decodeBase64url(token.slice(OPAQUE_TOKEN_PREFIX.length));
  if (decoded === undefined || decoded.length < HEAD_BYTES + SEAL_BYTES) return undefined;
  const body = Buffer.from(decoded.buffer, decoded.byteOffset, decoded.length);
  const key = keys.openingKey(body.readUInt32BE());
  if (key === undefined) return 'unknown_key';
  const head = body.subarray(0, HEAD_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', keyFor(key, head), NONCE)
    .setAAD(boundTo(issuer, head))
    .setAuthTag(body.subarray(-SEAL_BYTES));
  const jti = head.subarray(KEY_TAG_BYTES).toString('base64url');
  try {
    const text =
      decipher.update(body.subarray(HEAD_BYTES, -SEAL_BYTES), undefined, 'utf8') + decipher.final('utf8');
    return { kid: key.kid, tag: key.tag, jti, text };
  } catch {
    return undefined;
  }
}

function boundTo(issuer: string, head: Buffer): Buffer {
  return Buffer.concat([head, Buffer.from(issuer)]);
}

function keyFor(key: SealingKey, head: Buffer): Uint8Array {
  return key.derive(`countersign/v1/opaque-token/${head.toString('base64url', KEY_TAG_BYTES)}`);
}
