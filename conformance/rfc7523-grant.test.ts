import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, jsonOf, send } from './wire/exchange.ts';
import { expectOAuthError, expectProblem, expectToken } from './wire/expectations.ts';
import { type FederationScene, JWT_BEARER, openFederation } from './wire/federation.ts';
import { openForeignIssuer } from './wire/foreign-issuer.ts';
import { decodeJwt } from './wire/jwt.ts';
import { mayStartServers } from './wire/target.ts';
import { askToken } from './wire/token-request.ts';

// RFC 7523: JWTs as authorization grants. Generic OpenID provider; a subject and its environment are the rule.
describe.runIf(mayStartServers())('RFC 7523 grants (needs the countersign command)', () => {
  let scene: FederationScene;
  let rule: { clientId: string; credentialId: string };

  beforeAll(async () => {
    scene = await openFederation({ algorithms: ['RS256'] });
    rule = await scene.letIn({ sub: 'ci', environment: 'prod' });
  });
  afterAll(() => scene.close());

  function good(change: Readonly<Record<string, unknown>> = {}, header = {}): string {
    const aud = scene.authority.target.issuer;
    return scene.foreign.token({ sub: 'ci', environment: 'prod', aud, ...change }, header);
  }

  /** As JSON, with these members in this order. */
  async function askJson(body: string, type = 'application/json'): Promise<Answer> {
    return await askToken({ target: scene.authority.target, body, contentType: type });
  }

  test('section 2.1: the assertion alone says who asks; scope and resource are as with any grant', async () => {
    const params = { scope: 'read', resource: scene.resource };
    const { token, scopes } = expectToken(await scene.ask(good(), params));
    expect(decodeJwt(token).claims).toMatchObject({ sub: rule.clientId, aud: scene.resource });
    expect(scopes).toEqual(['read']);
    expectOAuthError(await scene.ask(good(), { resource: 'https://nowhere.example' }), 400, 'invalid_target');
    expectOAuthError(await scene.ask(good(), { scope: 'admin' }), 400, 'invalid_scope');
  });

  test('section 2.1: without assertion invalid_request', async () => {
    const { target } = scene.authority;
    expectOAuthError(await askToken({ target, params: { grant_type: JWT_BEARER } }), 400, 'invalid_request');
  });

  test('RFC 7521 section 4.1: client_id is optional, and then that of the subject', async () => {
    expectToken(await scene.ask(good(), { client_id: rule.clientId }));
    expectOAuthError(await scene.ask(good(), { client_id: 'somebody-else' }), 400, 'invalid_grant');
  });

  test('RFC 7521 section 4.1: a client that proves itself beside it has to be the same', async () => {
    const { admin } = scene;
    const { target } = scene.authority;
    const made = await admin.must('POST', `/identities/${rule.clientId}/credentials`, {
      type: 'client_secret',
    });
    const own = { id: rule.clientId, secret: String(made['secret']) };
    const params = () => ({ grant_type: JWT_BEARER, assertion: good() });
    expectToken(await askToken({ target, client: own, params: params() }));
    expectOAuthError(
      await askToken({ target, client: { ...own, secret: `${own.secret}x` }, params: params() }),
      401,
      'invalid_client',
    );
    const foreign = target.admin?.client ?? own;
    expectOAuthError(await askToken({ target, client: foreign, params: params() }), 400, 'invalid_grant');
  });

  test.each<[string, Record<string, unknown>]>([
    ['1: no iss', { iss: null }],
    ['1: another issuer', { iss: 'https://elsewhere.example' }],
    ['1: the issuer with a slash more', { iss: 'slash' }],
    ['2: no sub', { sub: null }],
    ['2: an empty sub', { sub: '' }],
    ['3: no aud', { aud: null }],
    ['3: another aud', { aud: 'https://elsewhere.example' }],
    ['4: no exp', { exp: null }],
    ['4: an exp that is text', { exp: '9999999999' }],
    ['4: an expired one', { exp: 1_000_000_000 }],
    ['5: an nbf of the future', { nbf: 9_999_999_999 }],
    ['6: an iat that is no number', { iat: 'now' }],
    ['7: a jti that is no text', { jti: 7 }],
  ])('section 3, %s: refused like all others', async (_what, change) => {
    const iss = change['iss'] === 'slash' ? { iss: `${scene.foreign.issuer}/` } : {};
    await scene.refusal(good({ ...change, ...iss }));
  });

  test('threat 16: none, HMAC with the public key, keys in the header, and another algorithm', async () => {
    const [jwk] = scene.foreign.jwks().keys as [{ kid: string }];
    const [, payload = '', signature = ''] = good().split('.');
    const head = (header: object) => Buffer.from(JSON.stringify(header)).toString('base64url');
    const none = head({ alg: 'none', kid: jwk.kid });
    const mac = `${head({ alg: 'HS256', kid: jwk.kid })}.${payload}`;
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const own = publicKey.export({ format: 'jwk' });
    const mine = `${head({ alg: 'RS256', jwk: own, jku: 'https://evil.example', x5u: 'https://evil.example' })}.${payload}`;
    for (const token of [
      `${none}.${payload}.`,
      `${none}.${payload}.${signature}`,
      `${mac}.${createHmac('sha256', JSON.stringify(jwk)).update(mac).digest('base64url')}`,
      `${mine}.${createSign('sha256').update(mine).sign(privateKey).toString('base64url')}`,
      `${head({ alg: 'PS256', kid: jwk.kid })}.${payload}.${signature}`,
      `${head({ alg: 'RS256', kid: jwk.kid, crit: ['x'], x: 1 })}.${payload}.${signature}`,
      ` ${good()}`,
      `${good()}=`,
    ]) {
      await scene.refusal(token);
    }
  });

  test('threat 17: what says that it is something else is refused', async () => {
    for (const typ of ['at+jwt', 'application/at+jwt', 'dpop+jwt', 'secevent+jwt', 'logout+jwt', 'wit+jwt']) {
      expect((await scene.refusal(good({}, { typ }))).reason).toBe('assertion_wrong_typ');
    }
    expectToken(await scene.ask(good({}, { typ: undefined })));
  });

  test('threat 17: an access token of this authority is no assertion', async () => {
    const { token } = expectToken(await scene.ask(good()));
    await scene.refusal(token);
  });

  test('threat 20: an assertion is no client assertion', async () => {
    const answer = await askToken({
      target: scene.authority.target,
      params: {
        client_id: rule.clientId,
        client_assertion: good(),
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      },
    });
    expectOAuthError(answer, 401, 'invalid_client');
  });

  test('threat 36: oversized and deep tokens are refused fast', async () => {
    const deep = `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`;
    const head = Buffer.from('{"alg":"RS256"}').toString('base64url');
    for (const token of [
      `${head}.${Buffer.from(deep).toString('base64url')}.AAAA`,
      `${head}.${'A'.repeat(60_000)}.AAAA`,
    ]) {
      const before = performance.now();
      await scene.refusal(token);
      expect(performance.now() - before).toBeLessThan(2000);
    }
  });

  test('a JSON body is taken for this grant', async () => {
    const body = JSON.stringify({ grant_type: JWT_BEARER, assertion: good(), scope: 'read' });
    expect(expectToken(await askJson(body)).scopes).toEqual(['read']);
    const again = JSON.stringify({ grant_type: JWT_BEARER, assertion: good() });
    expectToken(await askJson(again, 'application/json; charset=utf-8'));
  });

  test('a JSON body for another grant: 415; one that two parsers read differently: invalid_request', async () => {
    expectOAuthError(await askJson('{"grant_type":"client_credentials"}'), 415, 'invalid_request');
    expectOAuthError(await askJson('not json'), 415, 'invalid_request');
    const grant = `"grant_type":"${JWT_BEARER}"`;
    for (const body of [
      `{${grant},"assertion":"${good()}","assertion":"x"}`,
      `{${grant},"assertion":["${good()}"]}`,
      `{${grant},"assertion":{"a":"b"}}`,
      `{${grant},"assertion":null}`,
      `{${grant},"assertion":"${good()}\\u0000"}`,
      `[{${grant}}]`,
    ]) {
      expectOAuthError(await askJson(body), 400, 'invalid_request');
    }
  });

  test('threat 32: whoever is trusted, nothing is sent to a private address that is not let through', async () => {
    const canary = await openForeignIssuer('127.0.0.2');
    const port = new URL(canary.issuer).port;
    const { admin } = scene;
    const refused = async (body: object): Promise<void> => {
      const { detail } = expectProblem(await admin.call('POST', '/trusted-issuers', { body }), 400);
      expect(detail).toContain('address_not_allowed');
    };
    for (const host of ['127.0.0.2', '2130706434', '0x7f000002', '127.2']) {
      await refused({ issuer: `http://${host}:${port}`, name: 'canary' });
    }
    for (const jwks_uri of [
      `https://127.0.0.2:${port}/jwks`,
      `https://2130706434:${port}/jwks`,
      'https://169.254.169.254/jwks',
      'https://[::ffff:169.254.169.254]/jwks',
    ]) {
      await refused({ issuer: 'https://canary.example', name: 'canary', jwks_uri });
    }
    expect(canary.asked).toEqual([]);
    await canary.close();
  });

  test('a trusted issuer cannot be this authority, twice the same, or on plain http elsewhere', async () => {
    const { admin, foreign } = scene;
    const post = (issuer: string, more = {}) =>
      admin.call('POST', '/trusted-issuers', { body: { issuer, name: 'x', ...more } });
    expectProblem(await post(scene.authority.target.issuer), [403, 409, 422]);
    expectProblem(await post(foreign.issuer), 409);
    for (const issuer of [
      'http://issuer.example',
      'https://user@issuer.example',
      'https://issuer.example?a=b',
    ]) {
      expectProblem(await post(issuer), [400, 422]);
    }
    const secret = { keys: [{ kty: 'oct', k: 'AAAA' }] };
    expectProblem(await post('https://one.example', { jwks: secret }), [400, 422]);
  });

  test('RFC 8414: the metadata name the grant', async () => {
    const { target } = scene.authority;
    const url = `${target.issuer}/.well-known/oauth-authorization-server`;
    expect(jsonOf(await send(url, { ca: target.ca }))['grant_types_supported']).toContain(JWT_BEARER);
  });
});
