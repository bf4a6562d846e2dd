import { createHmac, randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { jsonOf, type Answer } from './wire/exchange.ts';
import { expectOAuthError, expectToken } from './wire/expectations.ts';
import {
  ASSERTION_TYPE,
  type AssertingClient,
  giveKey,
  makeKey,
  signCompact,
} from './wire/client-assertion.ts';
import { seedScene, type SeededScene } from './wire/scene.ts';
import { currentTarget } from './wire/target.ts';
import { aboutToken, introspectionEndpoint, revocationEndpoint } from './wire/token-call.ts';
import { askToken, basic } from './wire/token-request.ts';

// RFC 7523 section 2.2 and section 3: a client proves itself by a signed JWT.
const now = (): number => Math.floor(Date.now() / 1000);

describe.runIf(currentTarget().admin !== undefined)('private_key_jwt (needs the admin API)', () => {
  let scene: SeededScene;
  let client: AssertingClient;
  /** What a caller is told whose secret is wrong: an assertion that is wrong must not tell more. */
  let refusal: string;

  beforeAll(async () => {
    scene = await seedScene('rfc7523');
    client = await giveKey(scene);
    const wrong = await askToken({ client: { id: scene.client.id, secret: 'csk_wrong' } });
    refusal = expectRefused(wrong);
  });

  function expectRefused(answer: Answer): string {
    expectOAuthError(answer, 401, 'invalid_client');
    const { 'request-id': _id, date: _date, ...headers } = answer.headers;
    return JSON.stringify([answer.text, headers]);
  }
  const refused = async (assertion: string, params = {}): Promise<void> =>
    expect(expectRefused(await client.ask(assertion, params))).toBe(refusal);

  describe('RFC 7523 section 2.2: the request', () => {
    test.each(['ES256', 'ES384', 'PS256', 'RS384', 'EdDSA', 'Ed25519'] as const)(
      'an assertion signed %s gets a token',
      async (alg) => {
        const other = await giveKey(scene, makeKey(alg));
        expectToken(await other.ask());
      },
    );

    test('client_id beside the assertion is optional, and must be the same client', async () => {
      expectToken(await client.ask(undefined, { client_id: scene.client.id }));
      const answer = await client.ask(undefined, { client_id: `${scene.client.id}x` });
      expectOAuthError(answer, [400, 401], ['invalid_request', 'invalid_client']);
    });

    test.each([
      ['missing', undefined],
      ['of SAML', 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer'],
      ['of the grant', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
      ['in another case', ASSERTION_TYPE.toUpperCase()],
      ['with a space', `${ASSERTION_TYPE} `],
    ])('client_assertion_type %s is refused', async (_, type) => {
      const params: Record<string, string> = { client_assertion: client.assertion() };
      if (type !== undefined) params['client_assertion_type'] = type;
      expect(expectRefused(await askToken({ params }))).toBe(refusal);
    });

    test('client_assertion_type without an assertion is refused', async () => {
      const params = { client_assertion_type: ASSERTION_TYPE, client_id: scene.client.id };
      expect(expectRefused(await askToken({ params }))).toBe(refusal);
    });

    test('two assertions in one request are refused', async () => {
      const answer = await client.ask(undefined, {
        client_assertion: [client.assertion(), client.assertion()],
      });
      expectOAuthError(answer, 400, 'invalid_request');
    });

    test('threat 5: an assertion beside Basic, a secret in the body or an API key is refused', async () => {
      const headers = [['Authorization', basic(scene.client)]] as const;
      expectOAuthError(await client.ask(undefined, {}, { headers }), 400, 'invalid_request');
      const secret = { client_id: scene.client.id, client_secret: scene.client.secret };
      expectOAuthError(await client.ask(undefined, secret), 400, 'invalid_request');
      const key = [['X-API-Key', 'cak_00000000_0']] as const;
      expectOAuthError(
        await client.ask(undefined, {}, { headers: key }),
        [400, 401],
        ['invalid_request', 'invalid_client'],
      );
      expectOAuthError(await client.ask('x', {}, { headers }), 400, 'invalid_request');
    });

    test('threat 42: an assertion in the request URI is refused', async () => {
      const query = `?client_assertion=${client.assertion()}&client_assertion_type=${ASSERTION_TYPE}`;
      expectOAuthError(await askToken({ query }), [400, 401], ['invalid_request', 'invalid_client']);
    });

    test('introspection and revocation take it too', async () => {
      const { token } = expectToken(await client.ask());
      const about = (endpoint: string, assertion = client.assertion()): Promise<Answer> =>
        aboutToken(endpoint, {
          params: { token, client_assertion_type: ASSERTION_TYPE, client_assertion: assertion },
        });
      expect(jsonOf(await about(introspectionEndpoint()))).toMatchObject({ active: true });
      expect((await about(introspectionEndpoint(), 'x.y.z')).status).toBe(401);
      expect((await about(revocationEndpoint())).status).toBe(200);
      expect(jsonOf(await about(introspectionEndpoint()))).toEqual({ active: false });
    });

    test('the metadata says so, without RS256', async () => {
      const { send } = await import('./wire/exchange.ts');
      const url = `${currentTarget().issuer}/.well-known/openid-configuration`;
      const metadata = jsonOf(await send(url, { ca: currentTarget().ca }));
      for (const endpoint of ['token', 'introspection', 'revocation']) {
        expect(metadata[`${endpoint}_endpoint_auth_methods_supported`]).toContain('private_key_jwt');
        const algorithms = metadata[`${endpoint}_endpoint_auth_signing_alg_values_supported`];
        expect(algorithms).toEqual(expect.arrayContaining(['ES256', 'PS256', 'EdDSA']));
        expect(algorithms).not.toContain('RS256');
        expect(algorithms).not.toContain('none');
      }
    });
  });

  describe('RFC 7523 section 3: the claims', () => {
    test.each([
      ['1: no iss', { iss: undefined }],
      ['1: iss of another', { iss: 'somebody' }],
      ['2: no sub', { sub: undefined }],
      ['2: sub of another', { sub: 'somebody' }],
      ['2: iss and sub of nobody', { iss: 'nobody', sub: 'nobody' }],
      ['3: no aud', { aud: undefined }],
      ['3: aud of another', { aud: 'https://other.example' }],
      ['4: no exp', { exp: undefined }],
      ['4: exp five minutes ago', { exp: now() - 300 }],
      ['4: exp a day ahead', { exp: now() + 86_400 }],
      ['4: exp as text', { exp: String(now() + 60) }],
      ['5: nbf 90 seconds ahead', { nbf: now() + 90 }],
      ['6: iat 90 seconds ahead', { iat: now() + 90 }],
      ['7: no jti', { jti: undefined }],
      ['7: an empty jti', { jti: '' }],
      ['7: a jti of 300 characters', { jti: 'x'.repeat(300) }],
    ])('item %s: refused', async (_, claims) => refused(client.assertion(claims)));

    test('threat 43: clocks may differ by 10 seconds, and not by 61 and more', async () => {
      const at = (skew: number): string =>
        client.assertion({ iat: now() + skew, nbf: now() + skew, exp: now() + skew + 60 });
      expectToken(await client.ask(at(10)));
      expectToken(await client.ask(at(-10)));
      await refused(at(65));
      await refused(at(-95));
    });

    test('items 5 and 6: iat and nbf may be left out', async () => {
      expectToken(await client.ask(client.assertion({ iat: undefined, nbf: undefined })));
    });

    test('item 8: other claims are ignored', async () => {
      expectToken(await client.ask(client.assertion({ scope: 'delete', roles: ['admin'], act: {} })));
    });
  });

  describe('RFC 7523 section 3, item 7: once', () => {
    test('threat 12: an assertion is used once', async () => {
      const assertion = client.assertion();
      expectToken(await client.ask(assertion));
      await refused(assertion);
    });

    test('threat 12: another assertion with the same jti is refused', async () => {
      const jti = randomBytes(8).toString('hex');
      expectToken(await client.ask(client.assertion({ jti })));
      await refused(client.assertion({ jti, exp: now() + 90 }));
    });

    test('another client may use the same jti', async () => {
      const jti = randomBytes(8).toString('hex');
      const other = await giveKey(await seedScene('rfc7523-other'));
      expectToken(await client.ask(client.assertion({ jti })));
      expectToken(await other.ask(other.assertion({ jti })));
    });

    test('threat 60: of 200 parallel requests with one assertion exactly one wins', async () => {
      const assertion = client.assertion();
      const answers = await Promise.all(Array.from({ length: 200 }, () => client.ask(assertion)));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      // Those who fail often are asked to wait; nobody gets anything else.
      expect(answers.filter(({ status }) => status === 401 || status === 429)).toHaveLength(199);
    });
  });

  describe('RFC 7523 section 3, items 9 and 10: the signature', () => {
    test('threat 15: the key of another client, named by its kid', async () => {
      const stranger = makeKey();
      const other = await seedScene('rfc7523-kid');
      await giveKey(other, { ...stranger, jwk: { ...stranger.jwk, kid: 'shared' } });
      const { id } = scene.client;
      const claims = { iss: id, sub: id, aud: scene.target.issuer, jti: 'j', exp: now() + 60 };
      await refused(signCompact({ alg: 'ES256', kid: 'shared' }, claims, stranger));
    });

    test('threat 16: another algorithm than the key is for, none, HMAC, keys in the header', async () => {
      const { id } = scene.client;
      const claims = () => ({ iss: id, sub: id, aud: scene.target.issuer, jti: 'j', exp: now() + 60 });
      const input = (header: object): string =>
        [header, claims()].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
      for (const alg of ['none', 'NONE', 'HS256', 'HS512', 'es256', 'ES512', 'RS1', '']) {
        const text = input({ alg });
        const mac = createHmac('sha256', JSON.stringify(client.key.jwk)).update(text).digest('base64url');
        await refused(`${text}.${mac}`);
        await refused(`${text}.`);
      }
      const attacker = makeKey();
      for (const header of [
        { jwk: attacker.jwk },
        { jku: 'https://attacker.example/jwks' },
        { x5u: 'https://attacker.example/x5u' },
        { x5c: [attacker.jwk['x']] },
        { crit: ['exp'] },
        { b64: false, crit: ['b64'] },
        { enc: 'A128GCM' },
      ]) {
        await refused(signCompact({ alg: 'ES256', ...header }, claims(), attacker));
      }
      const zeros = Buffer.alloc(64).toString('base64url');
      await refused(`${input({ alg: 'ES256' })}.${zeros}`);
    });

    test('fapi2: a client assertion signed with RS256 fails, unless its key was registered for that', async () => {
      const key = makeKey('RS256');
      const pss = await giveKey(scene, { ...key, jwk: { ...key.jwk, alg: 'PS256' } });
      await refused(pss.assertion());
      const allowed = await giveKey(scene, key, { allow_rs256: true });
      expectToken(await allowed.ask());
    });

    test('threat 17: no other kind of JWT is taken for an assertion', async () => {
      for (const typ of [
        'at+jwt',
        'dpop+jwt',
        'token-introspection+jwt',
        'secevent+jwt',
        'statuslist+jwt',
        'txntoken+jwt',
        'wit+jwt',
        'cutoffs+jwt',
        'logout+jwt',
      ]) {
        await refused(client.assertion({}, { typ }));
        await refused(client.assertion({}, { typ: `application/${typ}` }));
      }
      const { token } = expectToken(await client.ask());
      await refused(token);
    });

    test('threat 17: an assertion is no access token and no DPoP proof', async () => {
      const assertion = client.assertion({ client_id: scene.client.id, scope: 'identities:read' });
      expect((await scene.admin.call('GET', '/identities', { token: assertion })).status).toBe(401);
      const headers = [['DPoP', client.assertion({ htm: 'POST', htu: scene.target.tokenEndpoint })]] as const;
      expect((await client.ask(undefined, {}, { headers })).status).toBe(400);
    });

    test('a revoked key opens nothing, from the next request on', async () => {
      const other = await giveKey(scene);
      expectToken(await other.ask());
      await scene.admin.change('DELETE', `/credentials/${other.credentialId}`);
      expect(expectRefused(await other.ask())).toBe(refusal);
      expectToken(await client.ask());
    });
  });

  test('every refusal explains itself to the operator', async () => {
    // Of its own: the log takes the first twenty failures of a client in a minute word for word.
    const other = await giveKey(await seedScene('rfc7523-explain'));
    const answer = await other.ask(other.assertion({ aud: scene.target.tokenEndpoint }));
    const id = String(answer.headers['request-id']);
    await expect
      .poll(async () => (await scene.admin.call('GET', `/explain/${id}`)).text, { timeout: 5000 })
      .toContain('client_assertion_audience');
  });
});
