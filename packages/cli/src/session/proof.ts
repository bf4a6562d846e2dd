// Proofs that a session's token is used by who holds its key: RFC 9449 §4.2.
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { accessTokenHash, DPOP_TYP, type JsonWebKey, signJws } from '@countersign/protocol';

export interface ProofCall {
  readonly method: string;
  readonly url: string;
  readonly accessToken?: string | undefined;
  readonly nonce?: string | undefined;
}

export function newSessionKey(): JsonWebKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ format: 'jwk' }) as unknown as JsonWebKey;
}

/** `now` is epoch seconds. */
export function proofOf(
  key: JsonWebKey,
  { method, url, accessToken, nonce }: ProofCall,
  now: number,
): string {
  const { origin, pathname } = new URL(url);
  const claims = {
    jti: randomUUID(),
    htm: method,
    htu: `${origin}${pathname}`,
    iat: now,
    ...(accessToken === undefined ? {} : { ath: accessTokenHash(accessToken) }),
    ...(nonce === undefined ? {} : { nonce }),
  };
  const { kty, crv, x, y } = key as { kty: string; crv: string; x: string; y: string };
  const signer = { kid: undefined, alg: 'ES256', keyObject: privateKeyOf(key) } as const;
  return signJws({ typ: DPOP_TYP, jwk: { kty, crv, x, y } }, JSON.stringify(claims), signer);
}

function privateKeyOf(key: JsonWebKey): KeyObject {
  return createPrivateKey({ key: key as never, format: 'jwk' });
}
