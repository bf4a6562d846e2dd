// Proofs that the token is used by who holds its key: RFC 9449 §4.2. The key cannot be taken out of the browser, not even by us.
import { base64url, digest } from './encoding.ts';

export interface SessionKey {
  readonly privateKey: CryptoKey;
  readonly publicJwk: { readonly kty: string; readonly crv: string; readonly x: string; readonly y: string };
}

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;

export async function newSessionKey(): Promise<SessionKey> {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(CURVE, false, ['sign', 'verify']);
  const { kty = '', crv = '', x = '', y = '' } = await crypto.subtle.exportKey('jwk', publicKey);
  return { privateKey, publicJwk: { kty, crv, x, y } };
}

export interface ProofCall {
  readonly method: string;
  readonly url: string;
  readonly accessToken?: string | undefined;
  readonly nonce?: string | undefined;
}

/** `now` is epoch seconds of the authority's clock. */
export async function proofOf(key: SessionKey, call: ProofCall, now: number): Promise<string> {
  const { origin, pathname } = new URL(call.url);
  const claims = {
    jti: crypto.randomUUID(),
    htm: call.method,
    htu: `${origin}${pathname}`,
    iat: now,
    ...(call.accessToken === undefined ? {} : { ath: await digest(call.accessToken) }),
    ...(call.nonce === undefined ? {} : { nonce: call.nonce }),
  };
  const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: key.publicJwk };
  const input = `${part(header)}.${part(claims)}`;
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' } as const;
  const signature = await crypto.subtle.sign(algorithm, key.privateKey, new TextEncoder().encode(input));
  return `${input}.${base64url(signature)}`;
}

function part(value: object): string {
  return base64url(new TextEncoder().encode(JSON.stringify(value)));
}
