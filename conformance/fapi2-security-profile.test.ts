import { createHash } from 'node:crypto';
import { connect } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import { accessBody } from './wire/admin.ts';
import {
  ASSERTION_TYPE,
  giveKey,
  makeKey,
  signCompact,
  type AssertingClient,
  type AssertionAlgorithm,
} from './wire/client-assertion.ts';
import { dpopProof, learnNonce, seconds, thumbprint } from './wire/dpop-proof.ts';
import { jsonOf, send, type Answer } from './wire/exchange.ts';
import { expectOAuthError, expectToken } from './wire/expectations.ts';
import { decodeJwt } from './wire/jwt.ts';
import { freshName, seedScene } from './wire/scene.ts';
import { currentTarget, type Target } from './wire/target.ts';
import { askToken, type Params } from './wire/token-request.ts';

// FAPI 2.0 Security Profile, the parts for client_credentials with private_key_jwt and DPoP. Each test has the name of the
// module of the OpenID conformance suite that looks for the same.
const target = currentTarget();
const MODULE = 'fapi2-security-profile-final';

describe.runIf(target.admin !== undefined)('FAPI 2.0 Security Profile (needs the admin API)', () => {
  const holder = makeKey();
  let client: AssertingClient;
  let nonce: string | undefined;

  beforeAll(async () => {
    client = await seedClient('fapi', 'PS256');
    nonce = await learnNonce(holder, { params: params() });
  });

  /** A client with a key, whose API takes no tokens but those bound to another. */
  async function seedClient(stem: string, alg: AssertionAlgorithm): Promise<AssertingClient> {
    const scene = await seedScene(stem);
    const path = `/resource-servers/${scene.resourceServerId}`;
    expect((await scene.admin.change('PATCH', path, { sender_constraint: 'dpop' })).status).toBe(200);
    return giveKey(scene, makeKey(alg));
  }

  function params(claims: object = {}, header: object = {}): Params {
    return { ...assertionParams(client.assertion(claims, header)), resource: client.scene.resource };
  }
  function assertionParams(assertion: string): Params {
    return { client_assertion_type: ASSERTION_TYPE, client_assertion: assertion };
  }

  /** The request of a client, its proof or its parameters changed. */
  function ask(proof: object = {}, given: Params = params()): Promise<Answer> {
    const text = dpopProof(holder, target, { nonce, ...proof });
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
    expect(decodeJwt(token).claims).toMatchObject({
      aud: client.scene.resource,
      cnf: { jkt: thumbprint(holder) },
    });
  });

  test(`${MODULE}-ensure-holder-of-key-required`, async () => {
    expectOAuthError(await askToken({ params: params() }), 400, 'invalid_request');
    for (const maxVersion of ['TLSv1', 'TLSv1.1'] as const) expect(await handshake(maxVersion)).toBe(false);
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) expect(await handshake(version)).toBe(true);
  });

  test(`${MODULE}-ensure-client-id-in-token-endpoint`, async () => {
    const other = await seedClient('fapi-other', 'ES256');
    const own = { ...params(), client_id: client.scene.client.id };
    expectToken(await ask({}, own), 'DPoP');
    const mixed = { ...params(), client_id: other.scene.client.id };
    expectOAuthError(await ask({}, mixed), [400, 401], ['invalid_client', 'invalid_request']);
    // the second client's name, the first client's key
    const name = other.scene.client.id;
    const forged = client.assertion({ iss: name, sub: name });
    const answer = await ask({}, { ...assertionParams(forged), resource: other.scene.resource });
    expectOAuthError(answer, 401, 'invalid_client');
  });

  test(`${MODULE}-ensure-client-assertion-in-token-endpoint`, async () => {
    for (const given of [
      { resource: client.scene.resource },
      { resource: client.scene.resource, client_id: client.scene.client.id },
      { ...params(), client_assertion: '' },
    ])
      expectOAuthError(await ask({}, given), [400, 401], ['invalid_client', 'invalid_request']);
  });

  test(`${MODULE}-ensure-client-assertion-with-exp-is-5-minutes-in-past-fails`, async () => {
    const past = { iat: seconds(-360), exp: seconds(-300) };
    expectOAuthError(await ask({}, params(past)), 401, 'invalid_client');
  });

  test(`${MODULE}-ensure-client-assertion-with-no-sub-fails`, async () => {
    expectOAuthError(await ask({}, params({ sub: undefined })), 401, 'invalid_client');
  });

  test(`${MODULE}-ensure-client-assertion-with-wrong-aud-fails`, async () => {
    for (const aud of ['https://other1.example.com', `${target.issuer}/`, target.tokenEndpoint, undefined])
      expectOAuthError(await ask({}, params({ aud })), 401, 'invalid_client');
  });

  test(`${MODULE}-ensure-signed-client-assertion-with-RS256-fails`, async () => {
    // the same RSA key, registered for PS256
    const { id } = client.scene.client;
    const claims = { iss: id, sub: id, aud: target.issuer, jti: freshName('rs256'), exp: seconds(60) };
    const assertion = signCompact({ alg: 'RS256' }, claims, { ...client.key, alg: 'RS256' });
    const answer = await ask({}, { ...assertionParams(assertion), resource: client.scene.resource });
    expectOAuthError(answer, 401, 'invalid_client');
    expectToken(await ask(), 'DPoP');
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

  test(`${MODULE}-access-token-type-header-case-sensitivity`, async () => {
    const { resource, api } = target.admin as NonNullable<Target['admin']>;
    const { scene } = client;
    await scene.admin.must(
      'POST',
      '/access',
      accessBody(scene.machine.identityId, resource, ['identities:read']),
    );
    const asked = { ...assertionParams(client.assertion()), resource };
    const { token } = expectToken(await ask({}, asked), 'DPoP');
    const ath = createHash('sha256').update(token).digest('base64url');
    for (const scheme of ['DPoP', 'dpop', 'DpOp']) {
      const proof = dpopProof(holder, target, { htm: 'GET', htu: `${api}/identities`, ath });
      const headers = [
        ['Authorization', `${scheme} ${token}`],
        ['DPoP', proof],
      ] as const;
      expect((await send(`${api}/identities?limit=1`, { ca: target.ca, headers })).status).toBe(200);
    }
    const bearer = { ca: target.ca, headers: [['Authorization', `Bearer ${token}`]] } as const;
    expect((await send(`${api}/identities?limit=1`, bearer)).status).toBe(401);
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
