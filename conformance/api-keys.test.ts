import { beforeAll, describe, expect, test } from 'vitest';
import { accessBody, identityBody, makeMachine, type Machine, revokeCredential } from './wire/admin.ts';
import { comparable, jsonOf, send, type HeaderLine } from './wire/exchange.ts';
import { expectOAuthError, expectProblem, expectToken } from './wire/expectations.ts';
import { freshName, rememberSecret, seedScene, type SeededScene } from './wire/scene.ts';
import { currentTarget } from './wire/target.ts';
import { introspect } from './wire/token-call.ts';
import { askToken } from './wire/token-request.ts';

// API keys: exchanged at the token endpoint for a short-lived token by whoever was called with one (RFC 6749 section 4.4).
const target = currentTarget();

describe.runIf(target.admin !== undefined)('API keys (need the admin API)', () => {
  const SOURCE = '127.0.0.78';
  let scene: SeededScene;
  beforeAll(async () => {
    scene = await seedScene('api-keys');
  });

  async function newKey(change: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const made = await scene.admin.must('POST', `/identities/${scene.machine.identityId}/credentials`, {
      type: 'api_key',
      ...change,
    });
    rememberSecret(target, String(made['secret']));
    return made;
  }
  const apiKey = (made: Record<string, unknown>): HeaderLine => ['X-API-Key', String(made['secret'])];

  test('a resource server exchanges a key for a token without knowing whose it is', async () => {
    const made = await newKey();
    for (const header of [apiKey(made), ['Authorization', `Bearer ${String(made['secret'])}`] as const]) {
      const answer = await askToken({ headers: [header], params: { resource: scene.resource } });
      const got = expectToken(answer);
      expect(got.scopes).toEqual(scene.scopes);
      expect(got.expiresIn).toBeLessThanOrEqual(3600);
    }
  });

  test('a key opens no more than it was made for', async () => {
    const made = await newKey({ resource_server: scene.resource, scopes: ['read'] });
    expect(expectToken(await askToken({ headers: [apiKey(made)] })).scopes).toEqual(['read']);
    const more = await askToken({ headers: [apiKey(made)], params: { scope: 'write' } });
    expectOAuthError(more, 400, 'invalid_scope');
  });

  test('the 201 states its end and names the better method', async () => {
    const made = await newKey();
    expect(Date.parse(String(made['expires_at']))).toBeGreaterThan(Date.now());
    expect(String(made['hint'])).toMatch(/private_key_jwt/);
  });

  test('threat 5: one method a request', async () => {
    const made = await newKey();
    const both = await askToken({ client: scene.client, headers: [apiKey(made)] });
    expectOAuthError(both, 400, 'invalid_request');
    const twice = await askToken({ headers: [apiKey(made), apiKey(made)] });
    expectOAuthError(twice, 400, 'invalid_request');
  });

  test('threat 1: a key that is wrong in any way answers like a secret that is', async () => {
    const revoked = await newKey();
    await revokeCredential(scene.admin, String(revoked['id']));
    const good = String((await newKey())['secret']);
    const last = good.endsWith('0') ? '1' : '0';
    const seen = [];
    for (const key of [String(revoked['secret']), good.slice(0, -1) + last, 'cak_', scene.client.secret]) {
      const answer = await askToken({ headers: [['X-API-Key', key]], localAddress: SOURCE });
      expectOAuthError(answer, 401, 'invalid_client');
      seen.push(comparable(answer));
    }
    const secret = await askToken({ client: { id: scene.client.id, secret: 'x' }, localAddress: SOURCE });
    for (const answer of seen) expect(answer).toBe(comparable(secret));
  });

  test('an environment whose policy forbids keys gets none, and is told what to use', async () => {
    const body = identityBody(freshName('prod'), { environment: 'prod' });
    const identity = await scene.admin.must('POST', '/identities', body);
    const answer = await scene.admin.call('POST', `/identities/${String(identity['id'])}/credentials`, {
      body: { type: 'api_key' },
    });
    expectProblem(answer, 403);
    expect(jsonOf(answer)['detail']).toMatch(/methods-allowed-per-environment.*private_key_jwt/);
  });

  test('a key in any other place opens nothing', async () => {
    const key = String((await newKey())['secret']);
    const { id } = scene.client;
    const localAddress = SOURCE;
    const asSecret = { client: { id, secret: key }, localAddress };
    expectOAuthError(await askToken({ ...asSecret, via: 'basic' }), 401, 'invalid_client');
    expectOAuthError(await askToken({ ...asSecret, via: 'post' }), 401, 'invalid_client');
    for (const name of ['api_key', 'x-api-key', 'access_token']) {
      const answer = await askToken({ query: `?${name}=${key}`, localAddress });
      expectOAuthError(answer, 400, 'invalid_request');
      expect(answer.text).not.toContain(key);
    }
    const params = {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: key,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    };
    expectOAuthError(await askToken({ client: scene.client, params }), 400, 'invalid_request');
    expect((await introspect(key, scene.client)).text).toBe('{"active":false}');
    const { api } = target.admin as NonNullable<typeof target.admin>;
    for (const [name, value] of [
      ['Authorization', `Bearer ${key}`],
      ['X-API-Key', key],
    ] as const) {
      const answer = await send(`${api}/identities`, { ca: target.ca, headers: [[name, value]] });
      expectProblem(answer, 401);
    }
  });

  test.each<[string, (made: Record<string, unknown>, owner: Machine, access: string) => Promise<unknown>]>([
    ['revoked', (made) => revokeCredential(scene.admin, String(made['id']))],
    [
      'cut off',
      (made) => scene.admin.must('POST', '/cutoffs', { kind: 'credential', id: made['id'], reason: 'leak' }),
    ],
    [
      'suspended',
      (made) => scene.admin.change('PATCH', `/credentials/${String(made['id'])}`, { state: 'suspended' }),
    ],
    [
      'of a suspended identity',
      (_made, owner) =>
        scene.admin.call('POST', `/identities/${owner.id}/suspend`, { body: { reason: 'conformance' } }),
    ],
    ['without the access', (_made, _owner, access) => scene.admin.change('DELETE', `/access/${access}`)],
    [
      'whose access holds none of its scopes any more',
      (_made, _owner, access) => scene.admin.change('PATCH', `/access/${access}`, { scopes: ['write'] }),
    ],
  ])('a key that is %s opens nothing from then on, nor does a token that came of it', async (_what, end) => {
    const owner = await makeMachine(scene.admin, freshName('kiosk'));
    const body = accessBody(owner.identityId, scene.resource, ['read', 'write']);
    const access = String((await scene.admin.must('POST', '/access', body))['id']);
    const made = await scene.admin.must('POST', `/identities/${owner.identityId}/credentials`, {
      type: 'api_key',
      scopes: ['read'],
    });
    rememberSecret(target, String(made['secret']));
    const ask = () => askToken({ headers: [apiKey(made)], localAddress: SOURCE });
    const { token } = expectToken(await ask());
    const reader = await makeMachine(scene.admin, freshName('reader'));
    expect((await introspect(token, reader)).text).toBe('{"active":false}');
    await end(made, owner, access);
    expect((await ask()).status).toBeGreaterThanOrEqual(400);
    // Its own client asks where it still can.
    const told = await introspect(token, owner);
    expect(told.status === 401 || told.text === '{"active":false}', told.text).toBe(true);
  });
});
