import { beforeAll, describe, expect, test } from 'vitest';
import type { Admin, Machine } from './wire/admin.ts';
import { openAdmin } from './wire/admin.ts';
import { send, type Answer, type HeaderLine } from './wire/exchange.ts';
import { expectToken, parseChallenge } from './wire/expectations.ts';
import { decodeJwt, encodeJwt } from './wire/jwt.ts';
import { freshName, seedOperator, seedScene, type SeededScene } from './wire/scene.ts';
import { currentTarget } from './wire/target.ts';
import { askToken, FORM } from './wire/token-request.ts';

// RFC 6750, seen at the admin API: an ordinary resource server of its own authority.
const target = currentTarget();

describe.runIf(target.admin !== undefined)('RFC 6750 at the admin API (needs the admin API)', () => {
  let admin: Admin;
  let reader: Machine & { resource: string };
  let token: string;
  let other: SeededScene;
  let list: string;

  beforeAll(async () => {
    admin = openAdmin(target);
    reader = await seedOperator(admin, 'rfc6750', ['identities:read']);
    token = expectToken(await askToken({ client: reader, params: { resource: reader.resource } })).token;
    other = await seedScene('rfc6750-other');
    list = `${target.admin?.api}/identities`;
  });

  function get(headers: readonly HeaderLine[], url: string = list): Promise<Answer> {
    return send(url, { headers, ca: target.ca });
  }

  function bearer(text: string): Promise<Answer> {
    return get([['Authorization', `Bearer ${text}`]]);
  }

  function challenge(answer: Answer): Record<string, string> {
    const value = answer.headers['www-authenticate'];
    expect(value, `${answer.status} ${answer.text.slice(0, 200)}`).toBeTruthy();
    const parsed = parseChallenge(value as string);
    expect(parsed.scheme).toBe('Bearer');
    return parsed.params;
  }

  describe('section 2.1: the Authorization header', () => {
    test('a good token is accepted', async () => {
      expect((await bearer(token)).status).toBe(200);
    });

    test.each(['bearer', 'BEARER', 'bEaReR'])('the scheme name is case-insensitive: %s', async (scheme) => {
      expect((await get([['Authorization', `${scheme} ${token}`]])).status).toBe(200);
    });

    test('two Authorization headers are refused', async () => {
      const answer = await get([
        ['Authorization', `Bearer ${token}`],
        ['Authorization', `Bearer ${token}`],
      ]);
      expect(answer.status).toBe(400);
    });
  });

  describe('sections 2.2 and 2.3: other places for a token', () => {
    test('threat 42: a token in the query is no token', async () => {
      const answer = await get([], `${list}?access_token=${token}`);
      expect([400, 401]).toContain(answer.status);
      expect(answer.text).not.toContain(token);
    });

    test('threat 42: a token in the header and in the query is refused', async () => {
      const answer = await get([['Authorization', `Bearer ${token}`]], `${list}?access_token=${token}`);
      expect(answer.status).toBe(400);
    });

    test('a token in a form body is no token', async () => {
      const answer = await send(list, {
        method: 'POST',
        ca: target.ca,
        headers: [['Content-Type', FORM]],
        body: `access_token=${token}`,
      });
      expect([400, 401, 415]).toContain(answer.status);
    });

    test('a token in a cookie is no token', async () => {
      expect((await get([['Cookie', `access_token=${token}`]])).status).toBe(401);
    });
  });

  describe('section 3: the challenge', () => {
    test('without credentials: 401, a Bearer challenge, and no error attribute', async () => {
      const answer = await get([]);
      expect(answer.status).toBe(401);
      expect(challenge(answer)).not.toHaveProperty('error');
    });

    test('another scheme is no credentials: 401 with a Bearer challenge', async () => {
      const answer = await get([['Authorization', 'Basic eDp5']]);
      expect(answer.status).toBe(401);
      challenge(answer);
    });

    test.each([
      ['nothing after the scheme', 'Bearer'],
      ['two words', 'Bearer a b'],
      ['a comma', 'Bearer a,b'],
      ['characters no token has', 'Bearer <script>'],
      ['a quoted token', 'Bearer "abc"'],
      ['an auth-param instead of a token', 'Bearer token=abc'],
    ])('malformed (%s): 400 or 401, and the right word for it', async (_what, value) => {
      const answer = await get([['Authorization', value]]);
      expect([400, 401]).toContain(answer.status);
      if (answer.status === 401)
        expect([undefined, 'invalid_token', 'invalid_request']).toContain(challenge(answer)['error']);
      else if (answer.headers['www-authenticate'] !== undefined)
        expect(challenge(answer)['error']).toBe('invalid_request');
    });
  });

  describe('section 3.1: invalid_token', () => {
    test.each<[string, () => string]>([
      ['text that is no JWT', () => 'abcdef'],
      ['an empty JWT', () => 'e30.e30.'],
      ['its signature cut', () => token.slice(0, -4)],
      ['its signature changed', () => `${token.slice(0, -8)}AAAAAAAA`],
      ['no signature', () => `${token.split('.').slice(0, 2).join('.')}.`],
      ['alg none', () => encodeJwt({ alg: 'none', typ: 'at+jwt' }, decodeJwt(token).claims, Buffer.alloc(0))],
      ['alg HS256', () => encodeJwt({ ...decodeJwt(token).header, alg: 'HS256' }, decodeJwt(token).claims)],
      [
        'a signature of zeros',
        () => encodeJwt(decodeJwt(token).header, decodeJwt(token).claims, Buffer.alloc(64)),
      ],
      ['an unknown kid', () => encodeJwt({ ...decodeJwt(token).header, kid: 'x' }, decodeJwt(token).claims)],
      ['wider scope', () => withClaims({ scope: 'identities:read identities:write' })],
      ['another client', () => withClaims({ sub: 'admin', client_id: 'admin' })],
      ['12 kB of nothing', () => 'a'.repeat(12_000)],
    ])('%s', async (_what, make) => {
      const answer = await bearer(make());
      expect(answer.status).toBe(401);
      expect(challenge(answer)['error']).toBe('invalid_token');
    });

    function withClaims(change: Record<string, unknown>): string {
      const jwt = decodeJwt(token);
      return encodeJwt(jwt.header, { ...jwt.claims, ...change }, jwt.signature);
    }

    test('threat 27: a token for another resource server', async () => {
      const foreign = expectToken(await askToken({ client: other.client })).token;
      const answer = await bearer(foreign);
      expect(answer.status).toBe(401);
      expect(challenge(answer)['error']).toBe('invalid_token');
    });

    test('the token of a suspended identity, within two seconds', async () => {
      const gone = await seedOperator(admin, 'rfc6750-gone', ['identities:read']);
      const before = expectToken(await askToken({ client: gone, params: { resource: gone.resource } })).token;
      expect((await bearer(before)).status).toBe(200);
      // the order covers tokens issued before it, and a token's iat has whole seconds
      await new Promise((resolve) => setTimeout(resolve, 1100));
      await admin.must('POST', `/identities/${gone.identityId}/suspend`, { reason: 'conformance' });
      await expect.poll(async () => (await bearer(before)).status, { timeout: 2000 }).toBe(401);
    });

    test('what was wrong with a token is not told', async () => {
      const bodies = new Set<string>();
      for (const bad of ['abcdef', `${token.slice(0, -8)}AAAAAAAA`, withClaims({ scope: 'x' })]) {
        const answer = await bearer(bad);
        bodies.add(JSON.stringify([answer.status, answer.headers['www-authenticate']]));
      }
      expect(bodies.size).toBe(1);
    });
  });

  describe('section 3.1: insufficient_scope', () => {
    test('403 with the scope that is needed', async () => {
      const answer = await send(list, {
        method: 'POST',
        ca: target.ca,
        headers: [
          ['Authorization', `Bearer ${token}`],
          ['Content-Type', 'application/json'],
        ],
        body: JSON.stringify({ name: freshName('never') }),
      });
      expect(answer.status).toBe(403);
      const params = challenge(answer);
      expect(params['error']).toBe('insufficient_scope');
      expect(params['scope']?.split(' ')).toContain('identities:write');
    });

    test('a noun for which the caller holds nothing is 403 too', async () => {
      const answer = await get([['Authorization', `Bearer ${token}`]], `${target.admin?.api}/access`);
      expect(answer.status).toBe(403);
      expect(challenge(answer)['scope']?.split(' ')).toContain('access:read');
    });
  });

  test('section 5.3: answers that carry secrets are not cached', async () => {
    const answer = await admin.call('POST', `/identities/${other.machine.identityId}/credentials`, {
      body: { type: 'client_secret' },
    });
    expect(answer.status).toBe(201);
    expect(answer.headers['cache-control']).toMatch(/no-store/);
  });
});
