import { createPublicKey, verify, type JsonWebKey } from 'node:crypto';

export interface DecodedJwt {
  readonly header: Record<string, unknown>;
  readonly claims: Record<string, unknown>;
  readonly signed: string;
  readonly signature: Buffer;
}

/** Takes a compact JWS apart without judging it. */
export function decodeJwt(token: string): DecodedJwt {
  const parts = token.split('.');
  if (parts.length !== 3) throw new Error(`a compact JWS has three parts, this has ${parts.length}`);
  const [header, payload, signature] = parts as [string, string, string];
  const read = (part: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>;
  return {
    header: read(header),
    claims: read(payload),
    signed: `${header}.${payload}`,
    signature: Buffer.from(signature, 'base64url'),
  };
}

/** ES256 (RFC 7518 section 3.4) by the platform's crypto alone. */
export function es256Verifies(token: string, jwk: JsonWebKey): boolean {
  const jwt = decodeJwt(token);
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  return (
    jwt.signature.length === 64 &&
    verify('sha256', Buffer.from(jwt.signed), { key, dsaEncoding: 'ieee-p1363' }, jwt.signature)
  );
}

export function encodeJwt(header: object, claims: object, signature: Buffer = Buffer.alloc(64, 1)): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}.${signature.toString('base64url')}`;
}
