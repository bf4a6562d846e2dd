// Digests on Web Crypto: SHA-256 (FIPS 180-4), HMAC with it (RFC 2104).
import { encodeBase64url } from '@countersign/protocol/portable';

/** base64url. */
export async function sha256(data: string | Uint8Array): Promise<string> {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : (data as Uint8Array<ArrayBuffer>);
  return encodeBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}

/** base64url. */
export async function hmac(key: Uint8Array, text: string): Promise<string> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const raw = key as Uint8Array<ArrayBuffer>;
  const imported = await crypto.subtle.importKey('raw', raw, algorithm, false, ['sign']);
  const mac = await crypto.subtle.sign('HMAC', imported, new TextEncoder().encode(text));
  return encodeBase64url(new Uint8Array(mac));
}
