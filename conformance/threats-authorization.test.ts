import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningAuthority, startAuthority } from './authority-process.ts';
import { openAdmin } from './wire/admin.ts';
import { jsonOf, send } from './wire/exchange.ts';
import { expectOAuthError, expectToken } from './wire/expectations.ts';
import { decodeJwt } from './wire/jwt.ts';
import { seedScene, type SeededScene } from './wire/scene.ts';
import { currentTarget, mayStartServers } from './wire/target.ts';
import { askToken, basic, FORM, formBody } from './wire/token-request.ts';

// Threats to what a token allows and to who may register: what holds on the wire today.
const target = currentTarget();

describe.runIf(target.admin !== undefined)('authorization and registration (need the admin API)', () => {
  let scene: SeededScene;
  let metadata: Record<string, unknown>;
  beforeAll(async () => {
    scene = await seedScene('authorization');
    metadata = jsonOf(
      await send(`${target.issuer}/.well-known/oauth-authorization-server`, { ca: target.ca }),
    );
  });

  describe('threat 29: authorization_details, of which no type is known', () => {
    test.each<[string, string]>([
      ['a type of some other API', '[{"type":"payment_initiation","actions":["initiate"]}]'],
      ['an unknown member', '[{"type":"a","constructor":{"prototype":{}}}]'],
      ['20 kB of them', JSON.stringify(Array.from({ length: 600 }, (_, i) => ({ type: 't', n: i })))],
      ['an empty list', '[]'],
      ['no JSON', '{'],
    ])('%s is refused; nothing is ignored in favour of a wider token', async (_what, details) => {
      const answer = await askToken({ client: scene.client, params: { authorization_details: details } });
      expectOAuthError(answer, 400, 'invalid_authorization_details');
    });

    test('who has not proved itself is not told even that', async () => {
      const params = { authorization_details: '[{"type":"a"}]', client_id: scene.client.id };
      expectOAuthError(await askToken({ params }), 401, 'invalid_client');
    });

    test('the metadata name no type, and a token holds none', async () => {
      expect(metadata).not.toHaveProperty('authorization_details_types_supported');
      const { token } = expectToken(await askToken({ client: scene.client }));
      expect(decodeJwt(token).claims).not.toHaveProperty('authorization_details');
    });
  });

  describe('threat 34: registration, which is not offered', () => {
    test('there is no endpoint, in the metadata or at its usual path, whatever token comes', async () => {
      expect(metadata).not.toHaveProperty('registration_endpoint');
      const tokens = [undefined, 'cit_AAAAAAAAAAAA', await scene.admin.token()];
      for (const path of ['/oauth/register', `/oauth/register/${scene.client.id}`]) {
        for (const token of tokens) {
          for (const method of ['POST', 'GET', 'PUT', 'DELETE']) {
            const answer = await send(`${target.issuer}${path}`, {
              method,
              ca: target.ca,
              headers: [
                ['Content-Type', 'application/json'],
                ...(token === undefined ? [] : [['Authorization', `Bearer ${token}`] as const]),
              ],
              ...(method === 'POST' || method === 'PUT' ? { body: '{"client_name":"x"}' } : {}),
            });
            expect(answer.status, `${method} ${path}`).toBe(404);
          }
        }
      }
    });

    test('what looks like an initial access token opens nothing', async () => {
      const token = 'cit_AAAAAAAAAAAA';
      expect((await scene.admin.call('GET', '/identities', { token })).status).toBe(401);
      expect((await scene.admin.call('POST', '/identities', { token, body: {} })).status).toBe(401);
    });
  });
});

describe.runIf(mayStartServers())(
  'threat 45: a signing key is stolen (needs the countersign command)',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-key-theft-'));
    let authority: RunningAuthority;
    beforeAll(async () => {
      authority = await startAuthority({ folder });
    }, 60_000);
    afterAll(async () => {
      await authority?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    test('within two seconds of one order every token of the key is dead for everybody who follows or asks', async () => {
      const { target: own } = authority;
      const admin = openAdmin(own);
      const scene = await seedScene('theft', own);
      const ask = async () => expectToken(await askToken({ target: own, client: scene.client })).token;
      const stolen = await Promise.all(Array.from({ length: 20 }, ask));
      const kid = String(decodeJwt(stolen[0] as string).header['kid']);
      const introspect = (token: string) =>
        send(`${own.issuer}/oauth/introspect`, {
          method: 'POST',
          ca: own.ca,
          headers: [
            ['Content-Type', FORM],
            ['Authorization', basic(scene.client)],
          ],
          body: formBody({ token }),
        });
      const feed = (query: string) =>
        send(`${own.issuer}/oauth/cutoffs${query}`, { ca: own.ca, timeoutMs: 30_000 });
      const { cursor } = decodeJwt((await feed('?after=0&wait=0')).text).claims;
      // What @countersign/resource-server does: it waits for news.
      const news = feed(`?after=${String(cursor)}&wait=20`);
      const ordered = Date.now();
      await admin.must('POST', '/cutoffs', { kind: 'key', id: kid, reason: 'drill' });
      const told = decodeJwt((await news).text);
      expect(Date.now() - ordered).toBeLessThan(2000);
      expect(told.claims['entries']).toContainEqual(expect.objectContaining({ kind: 'key', id: kid }));
      // The news itself must not be signed with the key that it is about.
      expect(told.header['kid']).not.toBe(kid);
      const keys = jsonOf(await send(own.jwksUri, { ca: own.ca }))['keys'] as { readonly kid: string }[];
      expect(keys.map((key) => key.kid)).not.toContain(kid);
      const answers = await Promise.all(stolen.map(introspect));
      expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(['{"active":false}']));
      const next = await ask();
      expect(decodeJwt(next).header['kid']).not.toBe(kid);
      expect(jsonOf(await introspect(next))['active']).toBe(true);
    });
  },
);
