// jwks_uri: RFC 7517 §5, RFC 8414 §2.
import type { Endpoint } from '../../http/route.ts';
import type { Keystore } from '../../keys/keystore.ts';

/** `maxAge` in seconds: shorter than the time a key is published before it signs. */
export function createJwksEndpoint(keystore: Pick<Keystore, 'jwks'>, maxAge: number): Endpoint {
  return async () => ({
    status: 200,
    headers: { 'content-type': 'application/jwk-set+json', 'cache-control': `public, max-age=${maxAge}` },
    body: JSON.stringify(keystore.jwks()),
  });
}
