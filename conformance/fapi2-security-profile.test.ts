import { connect } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import { jsonOf, send, type Answer } from './wire/exchange.ts';
import { expectOAuthError, expectToken } from './wire/expectations.ts';
import { decodeJwt } from './wire/jwt.ts';
import { seedKeyScene, type KeyScene } from './wire/key-scene.ts';
import { assertionParams, clientAssertion, dpopProof, makeKey, seconds } from './wire/signing-key.ts';
import { currentTarget } from './wire/target.ts';
import { askToken, learnNonce, type Params } from './wire/token-request.ts';

// FAPI 2.0 Security Profile, the parts for client_credentials with private_key_jwt and DPoP. Each test has the name of the
// module of the OpenID conformance suite that looks for the same.
const target = currentTarget();
const MODULE = 'fapi2-security-profile-final';

describe.runIf(target.admin !== undefined)('FAPI 2.0 Security Profile (needs the admin API)', () => {
  const holder = makeKey();
  let scene: KeyScene;
  let nonce: string | undefined;

  beforeAll(async () => {
    scene = await seedKeyScene('fapi', 'PS256');
    nonce = await learnNonce(holder, { params: params() });
  });

  function params(claims: object = {}, header: object = {}): Params {
    const assertion = clientAssertion(scene.key, target, scene.clientId, claims, header);
    return { resource: scene.resource, ...assertionParams(assertion) };
  }

  /** The request of a client, its proof or its parameters changed. */
  function ask(proof: object = {}, header: object = {}, given: Params = params()): Promise<Answer> {
    const text = dpopProof(holder, target, { nonce, ...proof }, header);
    return askToken({ params: given, headers: [['DPoP', text]] });
  }

  test(`${MODULE}-discovery-end-point-verification`, async () => {
    const answer = await send(`${target.issuer}/.well-known/oauth-authorization-server`, { ca: target.ca });
    const metadata = jsonOf(answer);
    expect(metadata).toMatchObject({
      issuer: target.issuer,
      token_endpoint: target.tokenEndpoint,
      jwks_uri: target.jwksUri,
      grant_types_supported: expect.arrayContaining(['client_credentials']),
      token_endpoint_auth_methods_supported: expect.arrayContaining(['private_key_jwt']),
      dpop_signing_alg_values_supported: expect.arrayContaining(['ES256', 'PS256']),
    });
    const algorithms = metadata['token_endpoint_auth_signing_alg_values_supported'];
    expect(algorithms).toEqual(expect.arrayContaining(['ES256', 'PS256', 'EdDSA']));
    for (const url of [target.issuer, target.tokenEndpoint, target.jwksUri])
      expect(url).toMatch(/^https:\/\//);
  });

  test(`${MODULE}-happy-flow`, async () => {
    const answer = await ask();
    const { token, scopes } = expectToken(answer, 'DPoP');
    expect(scopes.sort()).toEqual(['read', 'write']);
    expect(decodeJwt(token).claims).toMatchObject({ aud: scene.resource, cnf: { jkt: holder.jkt } });
  });

  test(`${MODULE}-ensure-holder-of-key-required`, async () => {
    expectOAuthError(await askToken({ params: params() }), 400, 'invalid_request');
    for (const maxVersion of ['TLSv1', 'TLSv1.1'] as const) expect(await handshake(maxVersion)).toBe(false);
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) expect(await handshake(version)).toBe(true);
  });

  test(`${MODULE}-ensure-client-id-in-token-endpoint`, async () => {
    const other = await seedKeyScene('fapi-other');
    const named = await ask({}, {}, { ...params(), client_id: scene.clientId });
    expectToken(named, 'DPoP');
    const mixed = await ask({}, {}, { ...params(), client_id: other.clientId });
    expectOAuthError(mixed, [400, 401], ['invalid_client', 'invalid_request']);
    // the second client's name, the first client's key
    const forged = clientAssertion(scene.key, target, other.clientId);
    const answer = await ask({}, {}, { resource: other.resource, ...assertionParams(forged) });
    expectOAuthError(answer, 401, 'invalid_client');
  });

  test(`${MODULE}-ensure-client-assertion-in-token-endpoint`, async () => {
    for (const given of [
      { resource: scene.resource },
      { resource: scene.resource, client_id: scene.clientId },
      { ...params(), client_assertion: '' },
    ])
      expectOAuthError(await ask({}, {}, given), [400, 401], ['invalid_client', 'invalid_request']);
  });

  test(`${MODULE}-ensure-client-assertion-with-exp-is-5-minutes-in-past-fails`, async () => {
    const past = { iat: seconds(-360), exp: seconds(-300) };
    expectOAuthError(await ask({}, {}, params(past)), 401, 'invalid_client');
  });

  test(`${MODULE}-ensure-client-assertion-with-no-sub-fails`, async () => {
    expectOAuthError(await ask({}, {}, params({ sub: undefined })), 401, 'invalid_client');
  });

  test(`${MODULE}-ensure-client-assertion-with-wrong-aud-fails`, async () => {
    for (const aud of ['https://other1.example.com', `${target.issuer}/`, target.tokenEndpoint, undefined])
      expectOAuthError(await ask({}, {}, params({ aud })), 401, 'invalid_client');
  });

  test(`${MODULE}-ensure-signed-client-assertion-with-RS256-fails`, async () => {
    const legacy = { ...scene.key, alg: 'RS256' as const };
    const assertion = clientAssertion(legacy, target, scene.clientId);
    const answer = await ask({}, {}, { resource: scene.resource, ...assertionParams(assertion) });
    expectOAuthError(answer, 401, 'invalid_client');
  });

  test(`${MODULE}-check-dpop-proof-nbf-exp`, async () => {
    expectToken(await ask({ nbf: seconds(-5), exp: seconds(60) }), 'DPoP');
    expectOAuthError(await ask({ exp: seconds(-300) }), 400, 'invalid_dpop_proof');
    expectOAuthError(await ask({ nbf: seconds(300) }), 400, 'invalid_dpop_proof');
  });

  test(`${MODULE}-ensure-dpopproof-with-iat-10seconds-after-succeeds`, async () => {
    expectToken(await ask({ iat: seconds(10) }), 'DPoP');
  });

  test(`${MODULE}-ensure-dpopproof-with-iat-10seconds-before-succeeds`, async () => {
    expectToken(await ask({ iat: seconds(-10) }), 'DPoP');
  });

  /** True when the server speaks this version and no other is offered. */
  function handshake(version: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'): Promise<boolean> {
    const at = new URL(target.issuer);
    return new Promise((resolve) => {
      const socket = connect({
        host: at.hostname,
        port: Number(at.port || 443),
        servername: at.hostname,
        ca: target.ca,
        minVersion: version,
        maxVersion: version,
        // without it this side would refuse the old versions before asking
        ciphers: 'DEFAULT:@SECLEVEL=0',
      });
      socket.on('secureConnect', () => resolve(socket.getProtocol() === version));
      socket.on('error', () => resolve(false));
      socket.on('secureConnect', () => socket.destroy());
    });
  }
});
