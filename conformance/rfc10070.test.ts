import { beforeAll, describe, expect, test } from 'vitest';
import { type AssertingClient, giveKey, makeKey } from './wire/client-assertion.ts';
import { expectOAuthError, expectToken } from './wire/expectations.ts';
import { seedScene, type SeededScene } from './wire/scene.ts';
import { currentTarget } from './wire/target.ts';

// RFC 10070: the audience of a client assertion is the issuer of the authorization server, and nothing else.
const { issuer, tokenEndpoint, admin } = currentTarget();

describe.runIf(admin !== undefined)('the audience of a client assertion (needs the admin API)', () => {
  let scene: SeededScene;
  let client: AssertingClient;

  beforeAll(async () => {
    scene = await seedScene('rfc10070');
    client = await giveKey(scene);
  });

  test.each<[string, unknown]>([
    ['text', issuer],
    ['the one member of an array', [issuer]],
  ])(
    'the issuer as %s is taken',
    async (_, aud) => void expectToken(await client.ask(client.assertion({ aud }))),
  );

  test.each<[string, unknown]>([
    ['threat 13 (CVE-2025-27371): the token endpoint', tokenEndpoint],
    ['threat 13: the token endpoint in an array', [tokenEndpoint]],
    ['threat 13 (CVE-2025-27370): the issuer beside another authority', [issuer, 'https://other.example']],
    ['threat 13: the issuer beside the token endpoint', [issuer, tokenEndpoint]],
    ['threat 14: another authority, where the client has this name and key', 'https://other.example'],
    ['the issuer twice', [issuer, issuer]],
    ['an empty array', []],
    ['the issuer with a slash', `${issuer}/`],
    ['the issuer in capitals', issuer.toUpperCase()],
    ['the issuer with a path', `${issuer}/tenant`],
    ['the host alone', new URL(issuer).host],
    ['the authorization server metadata', `${issuer}/.well-known/oauth-authorization-server`],
    ['the introspection endpoint', `${issuer}/oauth/introspect`],
    ['nothing', ''],
    ['an object', { issuer }],
  ])(
    '%s is refused',
    async (_, aud) =>
      void expectOAuthError(await client.ask(client.assertion({ aud })), 401, 'invalid_client'),
  );

  test.each([
    ['client-authentication+jwt', true],
    ['application/client-authentication+jwt', true],
    ['JWT', true],
    [undefined, true],
    ['at+jwt', false],
    ['client-authorization+jwt', false],
  ] as const)('typ %s', async (typ, taken) => {
    const answer = await client.ask(client.assertion({}, { typ }));
    if (taken) expectToken(answer);
    else expectOAuthError(answer, 401, 'invalid_client');
  });

  test('a credential may allow the token endpoint, says so, and allows it for itself alone', async () => {
    const older = await giveKey(scene, makeKey(), { allow_token_endpoint_audience: true });
    expectToken(await older.ask(older.assertion({ aud: tokenEndpoint })));
    expectToken(await older.ask(older.assertion({ aud: [tokenEndpoint] })));
    expectToken(await older.ask());
    for (const aud of [[tokenEndpoint, issuer], `${tokenEndpoint}/`, 'https://other.example/oauth/token']) {
      expectOAuthError(await older.ask(older.assertion({ aud })), 401, 'invalid_client');
    }
    const strict = await client.ask(client.assertion({ aud: tokenEndpoint }));
    expectOAuthError(strict, 401, 'invalid_client');
    const shown = await scene.admin.must('GET', `/credentials/${older.credentialId}`);
    expect(shown['allow_token_endpoint_audience']).toBe(true);
  });
});
