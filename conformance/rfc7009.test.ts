import { beforeAll, describe, expect, test } from 'vitest';
import { accessBody, makeMachine, type Machine } from './wire/admin.ts';
import { jsonOf, send, type Answer } from './wire/exchange.ts';
import { expectOAuthError, expectToken } from './wire/expectations.ts';
import { decodeJwt } from './wire/jwt.ts';
import { freshName, rememberSecret, seedScene, type SeededScene } from './wire/scene.ts';
import { currentTarget } from './wire/target.ts';
import { aboutToken, introspect, revocationEndpoint, revoke } from './wire/token-call.ts';
import { askToken } from './wire/token-request.ts';

// RFC 7009: a client ends a token of its own, and nobody else's.
const target = currentTarget();

describe.runIf(target.admin !== undefined)('RFC 7009 token revocation (needs the admin API)', () => {
  let scene: SeededScene;
  let other: Machine;

  beforeAll(async () => {
    scene = await seedScene('rfc7009');
    other = await makeMachine(scene.admin, freshName('rfc7009-other'));
    rememberSecret(target, other.secret);
    await scene.admin.must('POST', '/access', accessBody(other.identityId, scene.resource, ['read']));
  });

  async function token(client: Machine = scene.machine): Promise<string> {
    return expectToken(await askToken({ client, params: { resource: scene.resource } })).token;
  }

  async function isActive(live: string, client: Machine = scene.machine): Promise<unknown> {
    return jsonOf(await introspect(live, client))['active'];
  }

  function expectRevoked(answer: Answer): void {
    expect(answer.status, answer.text).toBe(200);
    expect(answer.text).toBe('');
    expect(answer.headers['cache-control']).toMatch(/no-store/);
  }

  async function cutoffOf(live: string): Promise<Record<string, unknown> | undefined> {
    const { jti } = decodeJwt(live).claims;
    const items = await scene.admin.all('/cutoffs?limit=200');
    return items.find((item) => item['kind'] === 'token' && Object.values(item).includes(jti));
  }

  test('section 2: what is revoked is revoked at once, and only that', async () => {
    const [gone, kept] = [await token(), await token()];
    expectRevoked(await revoke(gone, scene.machine));
    expect(await isActive(gone)).toBe(false);
    expect(await isActive(kept)).toBe(true);
  });

  test('section 2: the feed tells resource servers, and the audit log who did it', async () => {
    const live = await token();
    const { jti } = decodeJwt(live).claims;
    const answer = await revoke(live, scene.machine);
    expectRevoked(answer);
    expect(await cutoffOf(live)).toMatchObject({ kind: 'token' });
    let cursor = 0;
    const seen: unknown[] = [];
    for (;;) {
      const feed = await send(`${target.issuer}/oauth/cutoffs?after=${cursor}&wait=0`, { ca: target.ca });
      const { claims } = decodeJwt(feed.text);
      const entries = claims['entries'] as { kind: string; id: string }[];
      if (entries.length === 0) break;
      seen.push(...entries.filter((entry) => entry.kind === 'token').map((entry) => entry.id));
      cursor = Number(claims['cursor']);
    }
    expect(seen).toContain(jti);
    const filter = `request_id=${answer.headers['request-id']}`;
    expect(await scene.admin.all(`${target.issuer}/audit/events?${filter}`)).toEqual([
      expect.objectContaining({ type: 'cutoff.ordered', identity: scene.machine.id }),
    ]);
  });

  test('section 2.1: a form from who proves itself by either method', async () => {
    for (const via of ['basic', 'post'] as const) {
      const live = await token();
      const params = { token: live };
      expectRevoked(await aboutToken(revocationEndpoint(), { client: scene.machine, via, params }));
      expect(await isActive(live)).toBe(false);
    }
  });

  test('section 2.1: who does not prove itself revokes nothing', async () => {
    const live = await token();
    const wrong = { id: scene.machine.id, secret: `${scene.machine.secret}x` };
    expectOAuthError(await revoke(live, wrong), 401, 'invalid_client');
    const nobody = await aboutToken(revocationEndpoint(), { params: { token: live } });
    expectOAuthError(nobody, 401, 'invalid_client');
    expect(await isActive(live)).toBe(true);
  });

  test('section 2.1: a token that was issued to another client is refused and stays alive', async () => {
    const live = await token();
    expectOAuthError(await revoke(live, other), 400, 'invalid_grant');
    expect(await isActive(live)).toBe(true);
    expect(await cutoffOf(live)).toBeUndefined();
  });

  test.each(['access_token', 'refresh_token', 'urn:example:other', ''])(
    'sections 2.1 and 2.2.1: token_type_hint %j is a hint and no more',
    async (hint) => {
      const live = await token();
      expectRevoked(await revoke(live, scene.machine, { token_type_hint: hint }));
      expect(await isActive(live)).toBe(false);
    },
  );

  test.each(['no-token', 'a.b.c', '\u{1F600}', 'csk_x_y', 'A'.repeat(30_000)])(
    'section 2.2: what is no token is as good as revoked: %.20s',
    async (text) => {
      expectRevoked(await revoke(text, scene.machine));
    },
  );

  test('section 2.2: twice is as good as once, and is one order', async () => {
    const live = await token();
    expectRevoked(await revoke(live, scene.machine));
    expectRevoked(await revoke(live, scene.machine));
    const { jti } = decodeJwt(live).claims;
    const items = await scene.admin.all('/cutoffs?limit=200');
    expect(items.filter((item) => Object.values(item).includes(jti))).toHaveLength(1);
  });

  test('section 2.1: without a token there is nothing to revoke', async () => {
    const answer = await aboutToken(revocationEndpoint(), { client: scene.machine });
    expectOAuthError(answer, 400, 'invalid_request');
  });

  test('threat 42: section 2: a token in the URL is refused, and stays alive', async () => {
    const live = await token();
    const ask = { client: scene.machine, query: `?token=${live}` };
    expectOAuthError(await aboutToken(revocationEndpoint(), ask), 400, 'invalid_request');
    expect(await isActive(live)).toBe(true);
  });

  test.each(['GET', 'PUT'])('section 2.1: %s is no way to ask', async (method) => {
    const answer = await aboutToken(revocationEndpoint(), { client: scene.machine, method });
    expect(answer.status).toBe(405);
  });
});
