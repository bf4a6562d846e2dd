import {
  createHash,
  generateKeyPairSync,
  randomUUID,
  sign,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import type { Target } from './target.ts';

/** A key pair made by the platform, as a client would hold one. */
export interface SigningKey {
  readonly alg: 'ES256' | 'ES384' | 'RS256' | 'PS256' | 'EdDSA';
  readonly privateKey: KeyObject;
  /** The public part; with `alg`, without `kid`. */
  readonly jwk: JsonWebKey;
  /** RFC 7638 thumbprint. */
  readonly jkt: string;
}

/** Makes a key for one algorithm. RSA keys have 2048 bits. */
export function makeKey(alg: SigningKey['alg'] = 'ES256'): SigningKey {
  const { publicKey, privateKey } =
    alg === 'ES256' || alg === 'ES384'
      ? generateKeyPairSync('ec', { namedCurve: alg === 'ES256' ? 'P-256' : 'P-384' })
      : alg === 'EdDSA'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = publicKey.export({ format: 'jwk' });
  const members = ['crv', 'e', 'kty', 'n', 'x', 'y'].filter((name) => jwk[name] !== undefined);
  const canonical = JSON.stringify(Object.fromEntries(members.map((name) => [name, jwk[name]])));
  const jkt = createHash('sha256').update(canonical).digest('base64url');
  return { alg, privateKey, jwk: { ...jwk, alg }, jkt };
}

/** A compact JWS (RFC 7515 section 7.1) by the platform's crypto alone; `alg` is the key's unless the header says another. */
export function signJwt(key: SigningKey, header: object, claims: object | string): string {
  const part = (value: object | string): string =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
  const input = `${part({ alg: key.alg, ...header })}.${part(claims)}`;
  return `${input}.${signatureOf(key, Buffer.from(input)).toString('base64url')}`;
}

function signatureOf({ alg, privateKey }: SigningKey, data: Buffer): Buffer {
  switch (alg) {
    case 'ES256':
      return sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    case 'ES384':
      return sign('sha384', data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    case 'EdDSA':
      return sign(null, data, privateKey);
    case 'RS256':
      return sign('sha256', data, privateKey);
    case 'PS256':
      return sign('sha256', data, { key: privateKey, padding: 6, saltLength: 32 });
  }
}

/** Epoch seconds, `offset` from now. */
export function seconds(offset = 0): number {
  return Math.floor(Date.now() / 1000) + offset;
}

/** RFC 9449 section 4.2: a proof for the token endpoint of `target`, with what a test wants different; undefined leaves out. */
export function dpopProof(key: SigningKey, target: Target, claims: object = {}, header: object = {}): string {
  const good = { jti: randomUUID(), htm: 'POST', htu: target.tokenEndpoint, iat: seconds() };
  return signJwt(key, { typ: 'dpop+jwt', jwk: bare(key.jwk), ...header }, { ...good, ...claims });
}

/** RFC 7523 section 3 with RFC 10070: an assertion of `clientId` for `target`, with what a test wants different. */
export function clientAssertion(
  key: SigningKey,
  target: Target,
  clientId: string,
  claims: object = {},
  header: object = {},
): string {
  const now = seconds();
  const good = {
    iss: clientId,
    sub: clientId,
    aud: target.issuer,
    jti: randomUUID(),
    iat: now,
    exp: now + 60,
  };
  return signJwt(key, { typ: 'client-authentication+jwt', ...header }, { ...good, ...claims });
}

/** RFC 7523 section 2.2: the parameters that carry an assertion. */
export function assertionParams(assertion: string): Record<string, string> {
  return {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  };
}

function bare({ alg: _alg, ...jwk }: JsonWebKey): JsonWebKey {
  return jwk;
}
