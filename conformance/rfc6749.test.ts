import { beforeAll, describe, expect, test } from 'vitest';
import { send } from './wire/exchange.ts';
import { expectOAuthError, expectToken } from './wire/expectations.ts';
import { openScene, type Scene } from './wire/scene.ts';
import { currentTarget } from './wire/target.ts';
import { askToken, basic, FORM, formBody } from './wire/token-request.ts';

// RFC 6749, the parts that a token endpoint for client_credentials shows on the wire. Client authentication (section 2.3)
// and hostile input have files of their own.
const target = currentTarget();
let scene: Scene;

beforeAll(async () => {
  scene = await openScene('rfc6749');
});

/** Parameters that name the API where the target wants it named. */
function named(params: Record<string, string | string[]> = {}): Record<string, string | string[]> {
  return scene.resource === undefined ? params : { resource: scene.resource, ...params };
}

describe('RFC 6749 section 3.2: the token endpoint', () => {
  test.each(['GET', 'PUT', 'DELETE', 'PATCH'])(
    'threat 41: %s is answered 405 and Allow names POST',
    async (method) => {
      const answer = await send(target.tokenEndpoint, {
        method,
        ca: target.ca,
        headers: [
          ['Authorization', basic(scene.client)],
          ['Content-Type', FORM],
        ],
        ...(method === 'GET' ? {} : { body: formBody(named({ grant_type: 'client_credentials' })) }),
      });
      expect(answer.status).toBe(405);
      expect(answer.headers.allow?.split(/\s*,\s*/)).toContain('POST');
      expect(answer.text).not.toContain('access_token');
    },
  );

  test('threat 41: HEAD gives no token and no body', async () => {
    const answer = await send(target.tokenEndpoint, { method: 'HEAD', ca: target.ca });
    expect(answer.status).toBe(405);
    expect(answer.bytes.length).toBe(0);
  });

  test.each(['grant_type', 'scope', 'client_id', 'client_secret'])(
    'threat 38: a repeated %s is invalid_request, even with the same value',
    async (name) => {
      const values: Record<string, string> = {
        ...(named() as Record<string, string>),
        grant_type: 'client_credentials',
        scope: scene.scopes[0] as string,
        client_id: scene.client.id,
        client_secret: scene.client.secret,
      };
      const body = `${formBody(values)}&${formBody({ [name]: values[name] as string })}`;
      expectOAuthError(await askToken({ body }), 400, 'invalid_request');
    },
  );

  test('threat 38: a repeated parameter with one empty value is invalid_request', async () => {
    const body = `${formBody(named({ grant_type: 'client_credentials' }))}&scope=&scope=${scene.scopes[0]}`;
    expectOAuthError(await askToken({ client: scene.client, body }), 400, 'invalid_request');
  });

  test('a parameter without a value counts as left out', async () => {
    const body = `${formBody(named({ grant_type: 'client_credentials' }))}&scope=&something=&client_secret`;
    const made = expectToken(await askToken({ client: scene.client, body }));
    expect(made.scopes.sort()).toEqual([...scene.scopes].sort());
  });

  test('unknown parameters are ignored', async () => {
    const params = named({ nonce: 'x', 'x-client-SKU': 'some.library', username: 'root', __proto__x: '1' });
    expectToken(await askToken({ client: scene.client, params }));
  });

  test('a missing or empty grant_type is invalid_request', async () => {
    expectOAuthError(
      await askToken({ client: scene.client, body: formBody(named()) }),
      400,
      'invalid_request',
    );
    expectOAuthError(
      await askToken({ client: scene.client, params: named({ grant_type: '' }) }),
      400,
      'invalid_request',
    );
  });

  test('an empty body is invalid_request', async () => {
    expectOAuthError(await askToken({ client: scene.client, body: '' }), 400, 'invalid_request');
  });

  test.each([
    'application/x-www-form-urlencoded;charset=UTF-8',
    'application/x-www-form-urlencoded; charset="utf-8"',
    'Application/X-WWW-Form-URLEncoded',
  ])('form content type %s is accepted', async (contentType) => {
    expectToken(await askToken({ client: scene.client, params: named(), contentType }));
  });

  test.each([
    'application/json',
    'multipart/form-data; boundary=x',
    'text/plain',
    'application/xml',
    'nonsense',
  ])('threat 41: content type %s is refused', async (contentType) => {
    const body = contentType.includes('json')
      ? JSON.stringify({ grant_type: 'client_credentials' })
      : formBody(named({ grant_type: 'client_credentials' }));
    expectOAuthError(
      await askToken({ client: scene.client, body, contentType }),
      [400, 415],
      'invalid_request',
    );
  });

  test('threat 41: a body without content type is refused', async () => {
    const answer = await send(target.tokenEndpoint, {
      method: 'POST',
      headers: [['Authorization', basic(scene.client)]],
      body: formBody(named({ grant_type: 'client_credentials' })),
      ca: target.ca,
    });
    expectOAuthError(answer, [400, 415], 'invalid_request');
  });
});

describe('threat 26: RFC 6749 section 3.3: scope', () => {
  test('without scope the whole access is given and stated', async () => {
    const made = expectToken(await askToken({ client: scene.client, params: named() }));
    expect(made.scopes.sort()).toEqual([...scene.scopes].sort());
  });

  test('scope narrows, and is stated though it equals the request', async () => {
    const asked = scene.scopes[0] as string;
    const made = expectToken(await askToken({ client: scene.client, params: named({ scope: asked }) }));
    expect(made.body['scope']).toBe(asked);
  });

  test('the order of the asked scopes does not matter', async () => {
    const asked = [...scene.scopes].reverse().join(' ');
    const made = expectToken(await askToken({ client: scene.client, params: named({ scope: asked }) }));
    expect(made.scopes.sort()).toEqual([...scene.scopes].sort());
  });

  test('scopes not held are dropped and the rest is stated', async () => {
    const asked = `${scene.scopes[0]} never-granted:here`;
    const made = expectToken(await askToken({ client: scene.client, params: named({ scope: asked }) }));
    expect(made.body['scope']).toBe(scene.scopes[0]);
  });

  test('with none left the answer is invalid_scope', async () => {
    const params = named({ scope: 'never-granted:here' });
    expectOAuthError(await askToken({ client: scene.client, params }), 400, 'invalid_scope');
  });

  test.each([
    ['another case', (scope: string) => scope.toUpperCase()],
    ['a prefix', (scope: string) => scope.slice(0, -1)],
    ['a suffix', (scope: string) => `${scope}x`],
    ['a comma', (scope: string) => `${scope},${scope}`],
    ['a wildcard', () => '*'],
    ['a pattern', (scope: string) => `${scope.slice(0, 1)}.*`],
    ['a look-alike letter', (scope: string) => scope.replace(/[aeo]/, 'а')],
    ['a trailing no-break space', (scope: string) => `${scope}\u00a0`],
    ['a quote', (scope: string) => `"${scope}"`],
    ['a name of Object.prototype', () => '__proto__ constructor toString'],
  ])('%s never gives more than what is held', async (_what, change) => {
    const params = named({ scope: change(scene.scopes[0] as string) });
    expectOAuthError(await askToken({ client: scene.client, params }), 400, 'invalid_scope');
  });

  test('a scope asked for twice is given once', async () => {
    const asked = `${scene.scopes[0]} ${scene.scopes[0]}`;
    const answer = await askToken({ client: scene.client, params: named({ scope: asked }) });
    if (answer.status === 400) expectOAuthError(answer, 400, 'invalid_scope');
    else expect(expectToken(answer).body['scope']).toBe(scene.scopes[0]);
  });

  test('a hundred thousand scopes are refused or narrowed at once', async () => {
    const started = Date.now();
    const scope = `${scene.scopes[0]} ${'a '.repeat(30_000)}b`;
    const answer = await askToken({ client: scene.client, params: named({ scope }) });
    expect([200, 400, 413]).toContain(answer.status);
    expect(Date.now() - started).toBeLessThan(2000);
  });
});

describe('RFC 6749 sections 4.4 and 5.1: the token response', () => {
  test('section 4.4.3: no refresh token', async () => {
    const made = expectToken(await askToken({ client: scene.client, params: named() }));
    expect(made.body).not.toHaveProperty('refresh_token');
    expect(made.body).not.toHaveProperty('id_token');
  });

  test('threat 52: section 5.1: JSON, no-store, no-cache, bearer, whole positive seconds', async () => {
    const answer = await askToken({ client: scene.client, params: named() });
    const made = expectToken(answer);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers.pragma).toBe('no-cache');
    expect(Number.isInteger(made.expiresIn)).toBe(true);
    expect(made.expiresIn).toBeGreaterThan(0);
  });

  test('threat 52: section 5.1 holds of answers with errors too', async () => {
    const answer = await askToken({ client: scene.client, params: named({ grant_type: 'password' }) });
    expectOAuthError(answer, 400, 'unsupported_grant_type');
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers.pragma).toBe('no-cache');
  });
});

describe('RFC 6749 section 5.2: errors', () => {
  test.each([
    'authorization_code',
    'password',
    'refresh_token',
    'implicit',
    'urn:example:never',
    'Client_Credentials',
    'CLIENT_CREDENTIALS',
    'client-credentials',
    ' client_credentials',
    'client_credentials ',
    'client_credentials\t',
    'client_credentials,client_credentials',
    'client_credentialѕ',
    '__proto__',
    'constructor',
    'a'.repeat(5000),
  ])('threat 40: grant_type %j is unsupported_grant_type', async (grant) => {
    const answer = await askToken({ client: scene.client, params: named({ grant_type: grant }) });
    expectOAuthError(answer, 400, 'unsupported_grant_type');
  });

  test('threat 40: a NUL in grant_type is refused', async () => {
    const answer = await askToken({
      client: scene.client,
      body: `grant_type=client_credentials%00&${formBody(named())}`,
    });
    expectOAuthError(answer, 400, ['unsupported_grant_type', 'invalid_request']);
  });

  test('no client authentication is 401 invalid_client', async () => {
    expectOAuthError(await askToken({ params: named() }), 401, 'invalid_client');
  });

  test('401 answers a wrong Basic with a Basic challenge', async () => {
    const answer = await askToken({ client: { id: scene.client.id, secret: 'wrong' }, params: named() });
    expectOAuthError(answer, 401, 'invalid_client');
    expect(answer.headers['www-authenticate']).toMatch(/^Basic\b/i);
  });

  test('an unknown Authorization scheme is refused with a challenge, and not treated as no header', async () => {
    const answer = await askToken({
      params: named({ client_id: scene.client.id, client_secret: scene.client.secret }),
      headers: [['Authorization', 'Digest username="x"']],
    });
    expectOAuthError(answer, [400, 401], ['invalid_client', 'invalid_request']);
    if (answer.status === 401) expect(answer.headers['www-authenticate']).toBeTruthy();
  });

  test('what a caller sent does not come back in the error', async () => {
    const answer = await askToken({
      client: scene.client,
      params: named({ grant_type: '<script>alert(1)</script>', scope: 'zebra"\\crossing' }),
    });
    expect(answer.status).toBe(400);
    expect(answer.text).not.toMatch(/alert|zebra/);
  });
});
