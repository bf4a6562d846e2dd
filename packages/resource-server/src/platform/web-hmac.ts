// HMAC on Web Crypto: RFC 2104, with SHA-256.
import { encodeBase64url } from '@countersign/protocol/portable';

/** base64url. */
export async function hmac(key: Uint8Array, text: string): Promise<string> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const raw = key as Uint8Array<ArrayBuffer>;
  const imported = await crypto.subtle.importKey('raw', raw, algorithm, false, ['sign']);
  const mac = await crypto.subtle.sign('HMAC', imported, new TextEncoder().encode(text));
  return encodeBase64url(new Uint8Array(mac));
}
