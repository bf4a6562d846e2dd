import type { JsonWebKey } from 'node:crypto';
import { Agent } from 'node:https';
import { beforeAll, describe, expect, test } from 'vitest';
import { accessBody, inSeconds, makeMachine, resourceServerBody } from './wire/admin.ts';
import { jsonOf, send } from './wire/exchange.ts';
import { expectToken } from './wire/expectations.ts';
import { decodeJwt, es256Verifies, type DecodedJwt } from './wire/jwt.ts';
import { freshName, openScene, seedScene, type Scene, type SeededScene } from './wire/scene.ts';
import { currentTarget } from './wire/target.ts';
import { askToken, basic, FORM, formBody, type Params } from './wire/token-request.ts';

// RFC 9068: the access token itself. The signature is checked with the platform's crypto and nothing else.
const target = currentTarget();
let scene: Scene;
let token: string;
let jwt: DecodedJwt;
let answerBody: Record<string, unknown>;
let askedAt: number;
let answeredAt: number;

function named(params: Params = {}): Params {
  return scene.resource === undefined ? params : { resource: scene.resource, ...params };
}

beforeAll(async () => {
  scene = await openScene('rfc9068');
  askedAt = Date.now();
  const made = expectToken(await askToken({ client: scene.client, params: named() }));
  answeredAt = Date.now();
  token = made.token;
  answerBody = made.body;
  jwt = decodeJwt(token);
});

async function publishedKeys(): Promise<JsonWebKey[]> {
  return jsonOf(await send(target.jwksUri, { ca: target.ca }))['keys'] as JsonWebKey[];
}

describe('RFC 9068 section 2.1: header and signature', () => {
  test('typ is at+jwt', () => {
    expect(jwt.header['typ']).toBe('at+jwt');
  });

  test('alg is ES256, and no more is in the header than is needed', () => {
    expect(jwt.header['alg']).toBe('ES256');
    expect(Object.keys(jwt.header).sort()).toEqual(['alg', 'kid', 'typ']);
  });

  test('kid names a published key of that algorithm', async () => {
    const key = (await publishedKeys()).find((each) => each['kid'] === jwt.header['kid']);
    expect(key).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' });
  });

  test('the signature verifies with that key, and with it alone', async () => {
    for (const key of (await publishedKeys()).filter((each) => each['alg'] === 'ES256'))
      expect(es256Verifies(token, key)).toBe(key['kid'] === jwt.header['kid']);
  });

  test('the text is base64url without padding and without spare bits', () => {
    expect(token).toMatch(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}$/);
    for (const part of token.split('.'))
      expect(Buffer.from(part, 'base64url').toString('base64url')).toBe(part);
  });
});

describe('RFC 9068 section 2.2: claims', () => {
  test('all seven are there, with their types', () => {
    expect(jwt.claims).toMatchObject({
      iss: target.issuer,
      sub: expect.any(String),
      client_id: expect.any(String),
      iat: expect.any(Number),
      exp: expect.any(Number),
      jti: expect.any(String),
    });
    expect(Number.isInteger(jwt.claims['iat'])).toBe(true);
    expect(Number.isInteger(jwt.claims['exp'])).toBe(true);
  });

  test('client_credentials: sub is the client', () => {
    expect(jwt.claims['client_id']).toBe(scene.client.id);
    expect(jwt.claims['sub']).toBe(scene.client.id);
  });

  test('aud is the one resource, as a string', () => {
    if (scene.resource === undefined) expect(jwt.claims['aud']).toBeTruthy();
    else expect(jwt.claims['aud']).toBe(scene.resource);
  });

  test('section 2.2.3: scope is one string and the same as in the answer', () => {
    expect(jwt.claims['scope']).toBe(answerBody['scope']);
  });

  test('iat is the second of the request, never a later one', () => {
    expect(jwt.claims['iat']).toBeGreaterThanOrEqual(Math.floor(askedAt / 1000));
    expect(jwt.claims['iat']).toBeLessThanOrEqual(Math.floor(answeredAt / 1000));
  });

  test('exp less iat is expires_in', () => {
    expect(Number(jwt.claims['exp']) - Number(jwt.claims['iat'])).toBe(answerBody['expires_in']);
  });

  test('nothing about the machine beyond what a resource server needs', () => {
    const text = JSON.stringify(jwt.claims);
    expect(text).not.toContain(scene.client.secret);
    expect(text).not.toMatch(/purpose|owner|@/);
  });

  test('jti differs in each of 200 tokens', async () => {
    const agent = new Agent({
      keepAlive: true,
      maxSockets: 4,
      ...(target.ca === undefined ? {} : { ca: target.ca }),
    });
    const one = async (): Promise<string> => {
      const answer = await send(target.tokenEndpoint, {
        method: 'POST',
        ca: target.ca,
        ...(target.tokenEndpoint.startsWith('https:') ? { agent } : {}),
        headers: [
          ['Content-Type', FORM],
          ['Authorization', basic(scene.client)],
        ],
        body: formBody({ ...named(), grant_type: 'client_credentials' }),
      });
      return String(decodeJwt(expectToken(answer).token).claims['jti']);
    };
    const seen = new Set(await Promise.all(Array.from({ length: 200 }, one)));
    agent.destroy();
    expect(seen.size).toBe(200);
    for (const jti of seen) expect(jti.length).toBeGreaterThanOrEqual(16);
  });
});

describe.runIf(target.admin !== undefined)(
  'Countersign: what else a token says (needs the admin API)',
  () => {
    let seeded: SeededScene;
    beforeAll(async () => {
      seeded = await seedScene('rfc9068-own');
    });

    test('crd is the credential and acs the access that it came from', async () => {
      const { claims } = decodeJwt(expectToken(await askToken({ client: seeded.client })).token);
      expect(claims['crd']).toBe(seeded.machine.credentialId);
      expect(claims['acs']).toBe(seeded.accessId);
    });

    test('a token lives ten minutes unless told', async () => {
      expect(expectToken(await askToken({ client: seeded.client })).expiresIn).toBe(600);
    });

    test('a token never outlives the access that it came from', async () => {
      const brief = await makeMachine(seeded.admin, freshName('brief'));
      await seeded.admin.must(
        'POST',
        '/access',
        accessBody(brief.identityId, seeded.resource, ['read'], { expires_at: inSeconds(60) }),
      );
      const made = expectToken(await askToken({ client: brief }));
      expect(made.expiresIn).toBeLessThanOrEqual(60);
      expect(made.expiresIn).toBeGreaterThan(0);
    });

    test('the lifetime that a resource server sets is obeyed', async () => {
      const name = freshName('short-lived');
      const identifier = `https://${name}.example/`;
      await seeded.admin.must(
        'POST',
        '/resource-servers',
        resourceServerBody(identifier, ['read'], { token: { lifetime: 90 } }),
      );
      const machine = await makeMachine(seeded.admin, name);
      await seeded.admin.must('POST', '/access', accessBody(machine.identityId, identifier, ['read']));
      expect(expectToken(await askToken({ client: machine })).expiresIn).toBe(90);
    });

    test('the least of server, resource server and access is obeyed, whichever it is', async () => {
      const own = await seedScene('lifetimes', target);
      const path = `/resource-servers/${own.resourceServerId}`;
      const life = async (): Promise<number> => expectToken(await askToken({ client: own.client })).expiresIn;
      await own.admin.change('PATCH', path, { token: { lifetime: 300 } });
      expect(await life()).toBe(300);
      await own.admin.change('PATCH', `/access/${own.accessId}`, { token_lifetime: 120 });
      expect(await life()).toBe(120);
      await own.admin.change('PATCH', path, { token: { lifetime: 60 } });
      expect(await life()).toBe(60);
    });

    test('typ is JWT where a resource server wants it so, and at+jwt again when it does not', async () => {
      const own = await seedScene('typ', target);
      const path = `/resource-servers/${own.resourceServerId}`;
      for (const typ of ['JWT', 'at+jwt']) {
        expect((await own.admin.change('PATCH', path, { token: { typ } })).status).toBe(200);
        const made = expectToken(await askToken({ client: own.client }));
        expect(decodeJwt(made.token).header['typ']).toBe(typ);
      }
    });

    test('after a change of algorithm the key of the old one stays published, and each key says its one algorithm', async () => {
      const own = await seedScene('algorithms', target);
      const path = `/resource-servers/${own.resourceServerId}`;
      const kids = new Map<string, unknown>();
      for (const alg of ['ES256', 'RS256', 'PS256', 'ES384', 'EdDSA', 'RS384']) {
        const changed = await own.admin.change('PATCH', path, { token: { signing_alg: alg } });
        expect(changed.status, changed.text).toBe(200);
        const { header } = decodeJwt(expectToken(await askToken({ client: own.client })).token);
        expect(header['alg']).toBe(alg);
        kids.set(alg, header['kid']);
      }
      const keys = await publishedKeys();
      expect(new Set(keys.map((key) => key['kid'])).size).toBe(keys.length);
      for (const [alg, kid] of kids)
        expect(keys.find((key) => key['kid'] === kid)).toMatchObject({ alg, use: 'sig' });
      for (const key of keys) {
        for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(key).not.toHaveProperty(member);
        if (key.kty === 'RSA')
          expect(Buffer.from(String(key.n), 'base64url').length).toBeGreaterThanOrEqual(256);
      }
    });
  },
);
