/** base64url without padding (RFC 4648 §5). */
export function base64url(bytes: ArrayBuffer | Uint8Array): string {
  const view = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  let text = '';
  for (const byte of view) text += String.fromCharCode(byte);
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** SHA-256 of ASCII, as PKCE (RFC 7636 §4.2) and `ath` (RFC 9449 §4.2) write it. */
export async function digest(text: string): Promise<string> {
  return base64url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}

/** 256 random bits. */
export function secret(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}
