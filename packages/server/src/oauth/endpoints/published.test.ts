// What the authority publishes of itself: RFC 8414 §2 and §3, RFC 7517 §5.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ISSUER, jsonOf, openTokenScene, type TokenScene } from '../../../test/token-scene.ts';
import { serverMetadata } from './server-metadata.ts';

let scene: TokenScene;
beforeEach(async () => {
  scene = await openTokenScene();
});
afterEach(() => scene.close());

const METHODS = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'spiffe_jwt'];
const ALGORITHMS = ['ES256', 'ES384', 'PS256', 'RS384', 'EdDSA', 'Ed25519'];

describe('the metadata', () => {
  it('is this document, at both well-known places', async () => {
    const answer = await scene.call('/.well-known/oauth-authorization-server');
    expect(jsonOf(answer)).toEqual({
      issuer: 'https://authority.test',
      token_endpoint: 'https://authority.test/oauth/token',
      jwks_uri: 'https://authority.test/oauth/jwks',
      grant_types_supported: [
        'client_credentials',
        'urn:ietf:params:oauth:grant-type:jwt-bearer',
        'urn:ietf:params:oauth:grant-type:token-exchange',
      ],
      token_endpoint_auth_methods_supported: METHODS,
      token_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
      response_types_supported: ['none'],
      protected_resources: ['https://authority.test/v1'],
      cutoffs_endpoint: 'https://authority.test/oauth/cutoffs',
      introspection_endpoint: 'https://authority.test/oauth/introspect',
      introspection_endpoint_auth_methods_supported: METHODS,
      introspection_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
      introspection_signing_alg_values_supported: ['ES256'],
      revocation_endpoint: 'https://authority.test/oauth/revoke',
      revocation_endpoint_auth_methods_supported: METHODS,
      revocation_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
      device_claim_endpoint: 'https://authority.test/oauth/claim',
      certificate_renewal_endpoint: 'https://authority.test/oauth/certificate',
      key_rotation_endpoint: 'https://authority.test/oauth/rotate',
      derivation_keys_endpoint: 'https://authority.test/oauth/derivation-keys',
      spiffe_trust_domain: 'authority.test',
      spiffe_bundle_endpoint: 'https://authority.test/spiffe/bundle',
    });
    expect(answer.headers).toEqual({
      'content-type': 'application/json',
      'cache-control': 'public, max-age=300',
    });
    expect(await scene.call('/.well-known/openid-configuration')).toEqual(answer);
  });

  it('is never made of what a caller sends', async () => {
    const answer = await scene.call('/.well-known/oauth-authorization-server', {
      rawHeaders: ['Host', 'evil.test', 'X-Forwarded-Host', 'evil.test'],
      query: 'issuer=https://evil.test',
    });
    expect(String(answer.body)).not.toContain('evil');
  });

  it('names the listener for certificates where there is one', () => {
    const facts = {
      issuer: ISSUER,
      grantTypes: [],
      clientAuthMethods: [],
      assertionAlgorithms: [],
      protectedResources: [],
    };
    expect(serverMetadata({ ...facts, mtlsBase: 'https://authority.test:9443' })).toMatchObject({
      token_endpoint: 'https://authority.test/oauth/token',
      mtls_endpoint_aliases: {
        token_endpoint: 'https://authority.test:9443/oauth/token',
        introspection_endpoint: 'https://authority.test:9443/oauth/introspect',
        revocation_endpoint: 'https://authority.test:9443/oauth/revoke',
      },
    });
    expect(serverMetadata({ ...facts, mtlsBase: undefined })).not.toHaveProperty('mtls_endpoint_aliases');
  });
});

describe('the keys', () => {
  it('are published with the one that signs next, and may be kept for a while', async () => {
    const answer = await scene.call('/oauth/jwks');
    expect(answer.headers).toEqual({
      'content-type': 'application/jwk-set+json',
      'cache-control': 'public, max-age=300',
    });
    const { keys } = jsonOf(answer) as { keys: Record<string, string>[] };
    expect(keys).toHaveLength(2);
    for (const key of keys) {
      expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
      expect(key['kid']).toMatch(/^key_[0-9a-z]{20}$/);
    }
  });
});

describe('the routes of the token wing', () => {
  it('are these', () => {
    expect(
      scene.routes.map(({ method, path, errors, bodyLimit }) => `${method} ${path} ${errors} ${bodyLimit}`),
    ).toEqual([
      'POST /oauth/token oauth 65536',
      'POST /oauth/introspect oauth 65536',
      'POST /oauth/revoke oauth 65536',
      'POST /oauth/rotate oauth 65536',
      'POST /oauth/certificate oauth 65536',
      'POST /oauth/claim oauth 65536',
      'GET /ca/roots plain 0',
      'GET /ca/issuing plain 0',
      'GET /ca/crl/:authority plain 0',
      'GET /spiffe/bundle plain 0',
      'POST /oauth/derivation-keys oauth 65536',
      'GET /oauth/jwks plain 0',
      'GET /oauth/cutoffs oauth 0',
      'GET /oauth/status/:list oauth 0',
      'GET /.well-known/oauth-authorization-server plain 0',
      'GET /.well-known/openid-configuration plain 0',
    ]);
    expect(scene.routes.filter((route) => route.fast === true).map((route) => route.path)).toEqual([
      '/oauth/token',
      '/oauth/introspect',
    ]);
  });
});
