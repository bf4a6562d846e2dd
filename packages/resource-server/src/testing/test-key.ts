// A key of the test issuer, on Web Crypto: ES256 (RFC 7518 §3.4), whose signatures it makes as r‖s.
import { encodeBase64url } from '@countersign/protocol';

/** As the platform's own types have it, whichever platform that is. */
type PlatformKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

export interface TestKey {
  /** Public, as it is published. */
  readonly jwk: { readonly kty: string; readonly crv: string; readonly x: string; readonly y: string };
  /** A JWS in compact form; members that are undefined are left out. */
  sign(header: object, claims: object): Promise<string>;
}

/** `kid` undefined: for a key that its owner shows by itself. */
export async function newTestKey(kid?: string): Promise<TestKey> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const pair = (await crypto.subtle.generateKey(algorithm, false, ['sign'])) as {
    readonly publicKey: PlatformKey;
    readonly privateKey: PlatformKey;
  };
  const { kty, crv, x, y } = (await crypto.subtle.exportKey('jwk', pair.publicKey)) as TestKey['jwk'];
  const named = kid === undefined ? {} : { kid, alg: 'ES256', use: 'sig' };
  return {
    jwk: { kty, crv, x, y, ...named },
    async sign(header, claims) {
      const head = { alg: 'ES256', ...(kid === undefined ? {} : { kid }), ...header };
      const input = `${encodeBase64url(JSON.stringify(head))}.${encodeBase64url(JSON.stringify(claims))}`;
      const data = new TextEncoder().encode(input);
      const signature = await crypto.subtle.sign(algorithm, pair.privateKey, data);
      return `${input}.${encodeBase64url(new Uint8Array(signature))}`;
    },
  };
}
