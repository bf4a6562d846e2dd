import type { JsonWebKey } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { accessBody, makeMachine, resourceServerBody, revokeCredential, type Machine } from './wire/admin.ts';
import { jsonOf, send, type Answer } from './wire/exchange.ts';
import { expectOAuthError, expectToken } from './wire/expectations.ts';
import { decodeJwt, encodeJwt, es256Verifies } from './wire/jwt.ts';
import { freshName, rememberSecret, seedScene, type SeededScene } from './wire/scene.ts';
import { currentTarget } from './wire/target.ts';
import { aboutToken, introspect, introspectionEndpoint } from './wire/token-call.ts';
import { askToken } from './wire/token-request.ts';

// RFC 7662: who may ask what about which token, and what it hears.
const target = currentTarget();

describe.runIf(target.admin !== undefined)('RFC 7662 token introspection (needs the admin API)', () => {
  let scene: SeededScene;
  let api: Machine;
  let stranger: Machine;

  beforeAll(async () => {
    scene = await seedScene('rfc7662');
    const { admin } = scene;
    const answer = await admin.change('PATCH', `/resource-servers/${scene.resourceServerId}`, {
      scopes: resourceServerBody(scene.resource, ['read', 'write', 'delete', 'tokens:introspect'])['scopes'],
    });
    expect(answer.status, answer.text).toBe(200);
    api = await machine('api');
    stranger = await machine('stranger');
    await admin.must('POST', '/access', accessBody(api.identityId, scene.resource, ['tokens:introspect']));
  });

  async function machine(stem: string): Promise<Machine> {
    const made = await makeMachine(scene.admin, freshName(`rfc7662-${stem}`));
    rememberSecret(target, made.secret);
    return made;
  }

  async function token(client: Machine = scene.machine, scope?: string): Promise<string> {
    const params = { resource: scene.resource, ...(scope === undefined ? {} : { scope }) };
    return expectToken(await askToken({ client, params })).token;
  }

  function expectInactive(answer: Answer): void {
    expect(answer.status).toBe(200);
    expect(answer.text).toBe('{"active":false}');
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(answer.headers['cache-control']).toMatch(/no-store/);
  }

  function expectActive(answer: Answer): Record<string, unknown> {
    expect(answer.status, answer.text).toBe(200);
    expect(answer.headers['cache-control']).toMatch(/no-store/);
    const body = jsonOf(answer);
    expect(body['active']).toBe(true);
    return body;
  }

  describe('section 2.1: the request', () => {
    test('a form with the token, from who proves itself by either method', async () => {
      const live = await token();
      for (const via of ['basic', 'post'] as const)
        expectActive(
          await aboutToken(introspectionEndpoint(), { client: api, via, params: { token: live } }),
        );
    });

    test.each(['access_token', 'refresh_token', 'urn:example:other', ''])(
      'token_type_hint %j is a hint and no more',
      async (hint) => {
        expectActive(await introspect(await token(), api, { token_type_hint: hint }));
      },
    );

    test('parameters that nobody knows are ignored', async () => {
      expectActive(await introspect(await token(), api, { something: 'else' }));
    });

    test('without a token, or with two, there is nothing to answer', async () => {
      const endpoint = introspectionEndpoint();
      expectOAuthError(await aboutToken(endpoint, { client: api }), 400, 'invalid_request');
      expectOAuthError(
        await aboutToken(endpoint, { client: api, params: { token: '' } }),
        400,
        'invalid_request',
      );
      const two = { token: [await token(), await token()] };
      expectOAuthError(await aboutToken(endpoint, { client: api, params: two }), 400, 'invalid_request');
    });

    test.each(['GET', 'PUT', 'DELETE'])('%s is no way to ask', async (method) => {
      const answer = await aboutToken(introspectionEndpoint(), { client: api, method });
      expect(answer.status).toBe(405);
      expect(answer.headers.allow).toBe('POST');
    });

    test('threat 42: a token in the URL is refused', async () => {
      const query = `?token=${await token()}`;
      expectOAuthError(
        await aboutToken(introspectionEndpoint(), { client: api, query }),
        400,
        'invalid_request',
      );
    });

    test('JSON is no form', async () => {
      const ask = { client: api, contentType: 'application/json' };
      expectOAuthError(await aboutToken(introspectionEndpoint(), ask), [400, 415], 'invalid_request');
    });
  });

  describe('sections 2.1 and 2.3: the caller proves itself', () => {
    test('nobody, a wrong secret and a client that does not exist hear the same 401', async () => {
      const live = await token();
      const params = { token: live };
      const answers = [
        await aboutToken(introspectionEndpoint(), { params }),
        await introspect(live, { id: api.id, secret: `${api.secret}x` }),
        await introspect(live, { id: freshName('nobody'), secret: api.secret }),
      ];
      for (const answer of answers) {
        expectOAuthError(answer, 401, 'invalid_client');
        expect(answer.headers['www-authenticate']).toMatch(/^Basic /);
        expect(answer.text).toBe(answers[0]?.text);
      }
    });

    test('a bearer token is no proof here, not even a good one', async () => {
      const headers = [['Authorization', `Bearer ${await token()}`]] as const;
      const answer = await aboutToken(introspectionEndpoint(), { headers, params: { token: await token() } });
      expectOAuthError(answer, 401, 'invalid_client');
    });

    test('two proofs at once are refused', async () => {
      const params = { token: await token(), client_secret: api.secret };
      expectOAuthError(
        await aboutToken(introspectionEndpoint(), { client: api, params }),
        400,
        'invalid_request',
      );
    });
  });

  describe('section 2.2: the answer', () => {
    test('all that the token says, with its type', async () => {
      const live = await token(scene.machine, 'read');
      const body = expectActive(await introspect(live, api));
      expect(body).toEqual({ active: true, token_type: 'Bearer', ...decodeJwt(live).claims });
      expect(body).toMatchObject({
        iss: target.issuer,
        aud: scene.resource,
        client_id: scene.machine.id,
        sub: scene.machine.id,
        scope: 'read',
      });
      for (const name of ['exp', 'iat']) expect(body[name]).toEqual(expect.any(Number));
      expect(body['jti']).toEqual(expect.any(String));
    });

    test('the client itself may ask about its own', async () => {
      expectActive(await introspect(await token(), scene.machine));
    });

    test.each(['no-token', 'a.b.c', '\u{1F600}', '%00', 'csk_x_y', 'A'.repeat(30_000)])(
      'what is no token is inactive: %.20s',
      async (text) => {
        expectInactive(await introspect(text, api));
      },
    );

    test('a token with another payload, another signature, none, or another issuer is inactive', async () => {
      const live = await token();
      const { header, claims, signature } = decodeJwt(live);
      expectInactive(await introspect(encodeJwt(header, { ...claims, scope: 'delete' }, signature), api));
      expectInactive(await introspect(encodeJwt(header, claims), api));
      expectInactive(await introspect(encodeJwt({ ...header, alg: 'none' }, claims, Buffer.alloc(0)), api));
      expectInactive(await introspect(encodeJwt({ ...header, alg: 'HS256' }, claims, Buffer.alloc(32)), api));
    });

    test('threat 17: the signed cut-off feed is no token', async () => {
      const feed = await send(`${target.issuer}/oauth/cutoffs?after=0&wait=0`, { ca: target.ca });
      expectInactive(await introspect(feed.text, api));
    });
  });

  describe('RFC 9701: the answer as a JWT', () => {
    const jwt = 'application/token-introspection+jwt';
    async function asked(text: string): Promise<Answer> {
      const headers = [['Accept', jwt]] as const;
      return aboutToken(introspectionEndpoint(), { client: api, headers, params: { token: text } });
    }

    test('section 5: signed with a published key, for the caller, with the answer inside', async () => {
      const live = await token();
      const answer = await asked(live);
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toBe(jwt);
      expect(answer.headers['cache-control']).toMatch(/no-store/);
      const { header, claims } = decodeJwt(answer.text);
      expect(header).toMatchObject({ typ: 'token-introspection+jwt', alg: 'ES256' });
      const keys = jsonOf(await send(target.jwksUri, { ca: target.ca }))['keys'] as JsonWebKey[];
      const key = keys.find((each) => each['kid'] === header['kid']);
      expect(key !== undefined && es256Verifies(answer.text, key)).toBe(true);
      expect(Object.keys(claims).sort()).toEqual(['aud', 'iat', 'iss', 'token_introspection']);
      expect(claims).toMatchObject({ iss: target.issuer, aud: api.id });
      expect(claims['token_introspection']).toEqual(jsonOf(await introspect(live, api)));
    });

    test('section 5: of a dead token it says inactive and no more', async () => {
      const { claims } = decodeJwt((await asked('no-token')).text);
      expect(claims['token_introspection']).toEqual({ active: false });
    });

    test('threat 17: section 8.1: it is no access token, neither here nor at the admin API', async () => {
      const { text } = await asked(await token());
      expectInactive(await introspect(text, api));
      expect((await scene.admin.call('GET', '/identities', { token: text })).status).toBe(401);
    });

    test('who takes anything gets JSON', async () => {
      const ask = { client: api, headers: [['Accept', '*/*']] as const, params: { token: await token() } };
      expectActive(await aboutToken(introspectionEndpoint(), ask));
    });
  });

  describe('threat 49: section 4: nobody learns of tokens that are none of his business', () => {
    test('a client without access to the resource server hears what a dead token gets', async () => {
      expectInactive(await introspect(await token(), stranger));
    });

    test('a client that may call the resource server may not ask about the tokens of others', async () => {
      const caller = await machine('caller');
      await scene.admin.must('POST', '/access', accessBody(caller.identityId, scene.resource, ['read']));
      expectInactive(await introspect(await token(), caller));
    });

    test('who stands for one resource server stands for no other', async () => {
      const elsewhere = await seedScene('rfc7662-other');
      const params = { resource: elsewhere.resource };
      const { token: theirs } = expectToken(await askToken({ client: elsewhere.machine, params }));
      expectInactive(await introspect(theirs, api));
      expectActive(await introspect(theirs, elsewhere.machine));
    });

    test('an identity that loses its access is heard no more', async () => {
      const former = await machine('former');
      const body = accessBody(former.identityId, scene.resource, ['tokens:introspect']);
      const access = await scene.admin.must('POST', '/access', body);
      const live = await token();
      expectActive(await introspect(live, former));
      await scene.admin.change('DELETE', `/access/${String(access['id'])}`);
      expectInactive(await introspect(live, former));
    });
  });

  describe('section 2.2 and 4: active is what is good now, whatever the token says', () => {
    async function fresh(): Promise<{ client: Machine; accessId: string; live: string }> {
      const client = await machine('ending');
      const body = accessBody(client.identityId, scene.resource, ['read', 'write']);
      const access = await scene.admin.must('POST', '/access', body);
      const live = await token(client);
      expectActive(await introspect(live, api));
      return { client, accessId: String(access['id']), live };
    }

    test('not after its identity was suspended', async () => {
      const { client, live } = await fresh();
      const path = `/identities/${client.identityId}`;
      await scene.admin.must('POST', `${path}/suspend`, { reason: 'conformance' });
      expectInactive(await introspect(live, api));
    });

    test('not after its credential was revoked', async () => {
      const { client, live } = await fresh();
      await revokeCredential(scene.admin, client.credentialId);
      expectInactive(await introspect(live, api));
    });

    test('not after its access was revoked', async () => {
      const { accessId, live } = await fresh();
      await scene.admin.change('DELETE', `/access/${accessId}`);
      expectInactive(await introspect(live, api));
    });

    test('without the scope that its access has lost', async () => {
      const { accessId, live } = await fresh();
      await scene.admin.change('PATCH', `/access/${accessId}`, { scopes: ['read'] });
      expect(expectActive(await introspect(live, api))['scope']).toBe('read');
    });

    test.each(['token', 'credential', 'identity'] as const)('not after a cut-off of its %s', async (kind) => {
      const { client, live } = await fresh();
      const id = {
        token: String(decodeJwt(live).claims['jti']),
        credential: client.credentialId,
        identity: client.identityId,
      }[kind];
      await scene.admin.must('POST', '/cutoffs', { kind, id, reason: 'conformance' });
      expectInactive(await introspect(live, api));
    });

    test('not after it has expired', async () => {
      const { accessId, client } = await fresh();
      await scene.admin.change('PATCH', `/access/${accessId}`, { token_lifetime: 1 });
      const short = await token(client);
      const { exp } = decodeJwt(short).claims;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, Number(exp) * 1000 - Date.now()) + 20));
      expectInactive(await introspect(short, api));
    });
  });
});
