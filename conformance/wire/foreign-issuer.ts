import { createPublicKey, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An issuer on loopback, as a platform runs one: metadata, keys, and tokens with real RS256 signatures. */
export interface ForeignIssuer {
  readonly issuer: string;
  /** Paths that were asked for, in order. */
  readonly asked: string[];
  /** Signs these claims; `iss`, `iat`, `exp` and `jti` are filled in, null leaves one out. */
  token(claims: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): string;
  jwks(): { readonly keys: readonly object[] };
  close(): Promise<void>;
}

export async function openForeignIssuer(host = '127.0.0.1'): Promise<ForeignIssuer> {
  const kid = randomUUID();
  const key: KeyObject = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const asked: string[] = [];
  const jwks = () => ({
    keys: [{ ...createPublicKey(key).export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }],
  });
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const document =
      request.url === '/.well-known/openid-configuration'
        ? { issuer, jwks_uri: `${issuer}/jwks` }
        : request.url === '/jwks'
          ? jwks()
          : undefined;
    response.setHeader('content-type', 'application/json');
    response.statusCode = document === undefined ? 404 : 200;
    response.end(JSON.stringify(document ?? {}));
  });
  await new Promise<void>((done) => server.listen(0, host, done));
  const issuer = `http://${host}:${(server.address() as AddressInfo).port}`;
  return {
    issuer,
    asked,
    jwks,
    token(claims, header = {}) {
      const now = Math.floor(Date.now() / 1000);
      const all = { iss: issuer, iat: now, nbf: now - 5, exp: now + 300, jti: randomUUID(), ...claims };
      const kept = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
      const input = `${encode({ typ: 'JWT', alg: 'RS256', kid, ...header })}.${encode(kept)}`;
      return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`;
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
