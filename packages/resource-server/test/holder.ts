// The holder of a key, who proves possession of it: RFC 9449 §4.2.
import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { accessTokenHash, type JsonWebKey, jwkThumbprint, signJws } from '@countersign/protocol';

export interface Holder {
  readonly privateKey: KeyObject;
  readonly jwk: JsonWebKey;
  readonly jkt: string;
}

export function newHolder(): Holder {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = publicKey.export({ format: 'jwk' }) as unknown as JsonWebKey;
  return { privateKey, jwk, jkt: jwkThumbprint(jwk) };
}

/** A proof for GET of `url` with `token`; members of `change` that are undefined are left out. */
export function proofFor(
  { privateKey, jwk }: Holder,
  request: { readonly url: string; readonly token: string; readonly iat: number },
  change: object = {},
  header: object = {},
): string {
  const { url, token, iat } = request;
  const claims = { jti: randomUUID(), htm: 'GET', htu: url, iat, ath: accessTokenHash(token), ...change };
  const signer = { kid: undefined, alg: 'ES256', keyObject: privateKey } as const;
  return signJws({ typ: 'dpop+jwt', jwk, ...header }, JSON.stringify(claims), signer);
}
