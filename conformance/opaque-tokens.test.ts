import { beforeAll, describe, expect, test } from 'vitest';
import { issueSecret } from './wire/admin.ts';
import { jsonOf, send } from './wire/exchange.ts';
import { expectToken } from './wire/expectations.ts';
import { seedScene, rememberSecret, type SeededScene } from './wire/scene.ts';
import { currentTarget } from './wire/target.ts';
import { introspect, revoke } from './wire/token-call.ts';
import { askToken } from './wire/token-request.ts';

// RFC 6749 section 1.4: a token may say nothing to who holds it. Threat 46: it cannot be guessed, and is kept nowhere.
const target = currentTarget();

describe.runIf(target.admin !== undefined)('opaque tokens (needs the admin API)', () => {
  let scene: SeededScene;

  beforeAll(async () => {
    scene = await seedScene('opaque');
    const answer = await scene.admin.change('PATCH', `/resource-servers/${scene.resourceServerId}`, {
      token: { format: 'opaque' },
    });
    expect(answer.status, answer.text).toBe(200);
  });

  async function token(): Promise<string> {
    const made = expectToken(await askToken({ client: scene.client, params: { resource: scene.resource } }));
    rememberSecret(target, made.token);
    return made.token;
  }
  const told = async (text: string) => jsonOf(await introspect(text, scene.machine));

  test('the token is no JWT, and no two are alike', async () => {
    const [one, two] = [await token(), await token()];
    for (const each of [one, two]) expect(each).toMatch(/^cot_[A-Za-z0-9_-]{100,}$/);
    // After what names the key: 128 random bits.
    expect(one.slice(0, 9)).toBe(two.slice(0, 9));
    expect(one.slice(10, 30)).not.toBe(two.slice(10, 30));
  });

  test('introspection says all that a JWT would say', async () => {
    expect(await told(await token())).toMatchObject({
      active: true,
      token_type: 'Bearer',
      iss: target.issuer,
      aud: scene.resource,
      sub: scene.machine.id,
      client_id: scene.machine.id,
      scope: 'read write',
      exp: expect.any(Number),
      jti: expect.any(String),
    });
  });

  test('a changed, a shortened and a made-up token are inactive', async () => {
    const live = await token();
    const other = live.endsWith('A') ? 'B' : 'A';
    for (const text of [
      live.slice(0, -1) + other,
      live.slice(0, -4),
      `${live}=`,
      `${live}AAAA`,
      live.slice(4),
      `cot_${'A'.repeat(200)}`,
      'cot_',
      `COT_${live.slice(4)}`,
    ])
      expect(await told(text)).toEqual({ active: false });
  });

  test('it is revoked like any other', async () => {
    const live = await token();
    expect((await revoke(live, scene.machine)).status).toBe(200);
    expect(await told(live)).toEqual({ active: false });
  });

  test('it ends with its credential', async () => {
    const { id, secret } = await issueSecret(scene.admin, scene.machine.identityId);
    rememberSecret(target, secret);
    const client = { id: scene.machine.id, secret };
    const made = expectToken(await askToken({ client, params: { resource: scene.resource } })).token;
    expect(await told(made)).toMatchObject({ active: true, crd: id });
    await scene.admin.must('POST', '/cutoffs', { kind: 'credential', id, reason: 'conformance' });
    expect(await told(made)).toEqual({ active: false });
  });

  test('the key is listed without its secret, is in no JWKS, and a cut-off of it ends its tokens', async () => {
    const live = await token();
    const keys = await scene.admin.all('/keys');
    const sealing = keys.filter(({ alg }) => alg === 'HS256');
    expect(new Set(sealing.map(({ state }) => state))).toEqual(new Set(['active', 'next']));
    expect(sealing).toHaveLength(2);
    for (const key of sealing) expect(key['public_jwk']).toEqual({});
    const published = jsonOf(await send(target.jwksUri, { ca: target.ca }))['keys'] as { kty: string }[];
    expect(published.filter(({ kty }) => kty === 'oct')).toEqual([]);

    const id = sealing.find(({ state }) => state === 'active')?.['kid'];
    await scene.admin.must('POST', '/cutoffs', { kind: 'key', id, reason: 'conformance' });
    expect(await told(live)).toEqual({ active: false });
    expect(await told(await token())).toMatchObject({ active: true });
  });

  test('an API goes back to JWTs, and the tokens that were issued live on', async () => {
    const live = await token();
    await scene.admin.change('PATCH', `/resource-servers/${scene.resourceServerId}`, {
      token: { format: 'jwt' },
    });
    const params = { resource: scene.resource };
    expect(expectToken(await askToken({ client: scene.client, params })).token.split('.')).toHaveLength(3);
    expect(await told(live)).toMatchObject({ active: true });
  });
});
