import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';

/** A key pair whose holder makes proofs (RFC 9449 section 4). Made with the platform's crypto alone. */
export interface Holder {
  readonly privateKey: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
  /** RFC 7638. */
  readonly jkt: string;
}

export function newHolder(): Holder {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { crv, kty, x, y } = publicKey.export({ format: 'jwk' });
  const jwk = { crv, kty, x, y };
  return { privateKey, jwk, jkt: createHash('sha256').update(JSON.stringify(jwk)).digest('base64url') };
}

export function accessTokenHash(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

/** A proof made now. Members of `claims` and `header` that are undefined are left out; `by` signs in the place of the holder. */
export function proofOf(
  holder: Holder,
  method: string,
  url: string,
  claims: Readonly<Record<string, unknown>> = {},
  header: Readonly<Record<string, unknown>> = {},
  by: Holder = holder,
): string {
  const iat = Math.floor(Date.now() / 1000);
  const input = [
    { typ: 'dpop+jwt', alg: 'ES256', jwk: holder.jwk, ...header },
    { jti: randomUUID(), htm: method, htu: url, iat, ...claims },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const signature = sign('sha256', Buffer.from(input), { key: by.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}
