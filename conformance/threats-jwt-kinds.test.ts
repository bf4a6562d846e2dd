import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { accessBody, inSeconds, resourceServerBody } from './wire/admin.ts';
import {
  ASSERTION_TYPE,
  giveKey,
  makeKey,
  signCompact,
  type AssertingClient,
  type AssertionKey,
} from './wire/client-assertion.ts';
import { dpopProof, learnNonce, seconds } from './wire/dpop-proof.ts';
import { jsonOf, send } from './wire/exchange.ts';
import { expectProblem, expectToken } from './wire/expectations.ts';
import { JWT_BEARER } from './wire/federation.ts';
import { decodeJwt, encodeJwt } from './wire/jwt.ts';
import { callAs, exchangeIdToken, idTokenOf, secret, signIn } from './wire/people.ts';
import { freshName, seedOperator, seedScene, type SeededScene } from './wire/scene.ts';
import { currentTarget } from './wire/target.ts';
import { aboutToken, introspect, introspectionEndpoint } from './wire/token-call.ts';
import { askToken, type Params } from './wire/token-request.ts';

// Threat 17 and RFC 8725 section 3.11: no kind of JWT is accepted in the place of another. Every kind that is made here, at
// every place that takes one.
const target = currentTarget();
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

const KINDS = [
  'access token',
  'bound access token',
  'admin token',
  'introspection response',
  'cut-off feed',
  'DPoP proof',
  'client assertion',
  'grant assertion',
  'new-key proof',
  'ID token',
  'token of a person',
  'JWT-SVID',
] as const;
type Kind = (typeof KINDS)[number];

/** What a place takes; all else it must refuse. */
const PLACES = {
  'the admin API': ['admin token'],
  introspection: ['access token', 'bound access token'],
  revocation: ['access token', 'bound access token'],
  subject_token: ['access token'],
  actor_token: ['access token'],
  client_assertion: ['client assertion'],
  assertion: ['grant assertion'],
  new_key: ['new-key proof'],
  'a DPoP header': ['DPoP proof'],
  'a sign-in': ['ID token'],
  'the admin API with a proof': ['token of a person'],
  'a client assertion of SPIFFE': ['JWT-SVID'],
} as const satisfies Record<string, readonly Kind[]>;
type Place = keyof typeof PLACES;

/** RFC 7638, of a key on a curve. */
function thumbprintOf({ crv, kty, x, y }: Record<string, unknown>): string {
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
}

describe.runIf(target.admin !== undefined)('threat 17: kinds of JWT (need the admin API)', () => {
  let scene: SeededScene;
  let client: AssertingClient;
  const holder = makeKey();
  const issuerKey = makeKey();
  const foreign = `https://${freshName('kinds')}.example`;
  let nonce: string | undefined;

  beforeAll(async () => {
    scene = await seedScene('kinds');
    const { admin } = scene;
    const scopes = ['read', 'write', 'delete', 'tokens:introspect', 'tokens:exchange'];
    const path = `/resource-servers/${scene.resourceServerId}`;
    const body = { scopes: resourceServerBody(scene.resource, scopes)['scopes'] };
    expect((await admin.change('PATCH', path, body)).status).toBe(200);
    const held = { scopes: ['read', 'tokens:introspect', 'tokens:exchange'] };
    expect((await admin.change('PATCH', `/access/${scene.accessId}`, held)).status).toBe(200);
    // where the exchanged token is for
    const next = await seedScene('kinds-next');
    await admin.must('POST', '/access', accessBody(scene.machine.identityId, next.resource, ['read']));
    downstream = next.resource;
    client = await giveKey(scene);
    const jwks = { keys: [{ ...issuerKey.jwk, kid: 'foreign', use: 'sig' }] };
    await admin.must('POST', '/trusted-issuers', {
      issuer: foreign,
      name: freshName('kinds'),
      algorithms: ['ES256'],
      jwks,
    });
    await admin.must('POST', `/identities/${scene.machine.identityId}/credentials`, {
      type: 'federated',
      trusted_issuer: foreign,
      conditions: { sub: 'workload' },
    });
    const agent = await seedOperator(admin, 'kinds-agent', ['svids:issue']);
    const asked = { client: agent, params: { resource: agent.resource } };
    const workload = await admin.must('POST', '/workloads', {
      agent: agent.id,
      identity: scene.machine.identityId,
      selectors: ['unix:uid:1'],
      expires_at: inSeconds(3600),
    });
    await admin.must('POST', `/identities/${scene.machine.identityId}/credentials`, {
      type: 'spiffe',
      spiffe_id: workload['spiffe_id'],
    });
    jwtSvid = async () => {
      const { token } = expectToken(await askToken(asked));
      const body = { workload: workload['id'], audience: [target.issuer] };
      return String(jsonOf(await admin.call('POST', '/svids/jwt', { token, body }))['svid']);
    };
    nonce = await learnNonce(holder, { client: scene.client, params: named() });
  });
  let downstream: string;
  let jwtSvid: () => Promise<string>;
  // What goes with a token, whatever was done to its header.
  const nonceVerifiers = new Map<string, string>();
  const keys = new Map<string, AssertionKey>();
  const payloadOf = (jwt: string): string => jwt.split('.')[1] ?? '';
  const named = (): Params => ({ resource: scene.resource });

  /** A fresh and good one of each kind. */
  const MAKE: Record<Kind, () => Promise<string>> = {
    'access token': async () =>
      expectToken(await askToken({ client: scene.client, params: { ...named(), scope: 'read' } })).token,
    'bound access token': async () => {
      const headers = [['DPoP', dpopProof(holder, target, { nonce })]] as const;
      const params = { ...named(), scope: 'read' };
      return expectToken(await askToken({ client: scene.client, params, headers }), 'DPoP').token;
    },
    'admin token': () => scene.admin.token(),
    'introspection response': async () => {
      const headers = [['Accept', 'application/token-introspection+jwt']] as const;
      const token = await MAKE['access token']();
      const ask = { client: scene.client, headers, params: { token } };
      return (await aboutToken(introspectionEndpoint(), ask)).text;
    },
    'cut-off feed': async () =>
      (await send(`${target.issuer}/oauth/cutoffs?after=0&wait=0`, { ca: target.ca })).text,
    'DPoP proof': () => Promise.resolve(dpopProof(holder, target, { nonce })),
    'client assertion': () => Promise.resolve(client.assertion()),
    'grant assertion': () => {
      const claims = {
        iss: foreign,
        sub: 'workload',
        aud: target.issuer,
        jti: freshName('jti'),
        iat: seconds(),
        exp: seconds(60),
      };
      return Promise.resolve(signCompact({ typ: 'JWT', alg: 'ES256', kid: 'foreign' }, claims, issuerKey));
    },
    'new-key proof': () => {
      const key = makeKey();
      const claims = { iss: scene.client.id, aud: target.issuer, iat: seconds() };
      const { kty, crv, x, y } = key.jwk;
      const header = { typ: 'new-key+jwt', alg: 'ES256', jwk: { kty, crv, x, y } };
      return Promise.resolve(signCompact(header, claims, key));
    },
    'ID token': async () => {
      const given = await idTokenOf(target, 'ada');
      nonceVerifiers.set(payloadOf(given.idToken), given.nonceVerifier);
      return given.idToken;
    },
    'token of a person': async () => {
      const { token, key } = await signIn(target, 'ada');
      keys.set(payloadOf(token), key);
      return token;
    },
    'JWT-SVID': () => jwtSvid(),
  };

  /** True when the place takes it. */
  const TAKES: Record<Place, (jwt: string) => Promise<boolean>> = {
    'the admin API': async (token) =>
      (await scene.admin.call('GET', '/identities?limit=1', { token })).status === 200,
    introspection: async (token) => (await introspect(token, scene.client)).text.includes('"active":true'),
    revocation: async (token) => {
      // whatever it is, the answer is 200; what counts is whether a token died of it
      const { jti } = decodeJwt(token).claims;
      const before = await cutOff(jti);
      await aboutToken(`${target.issuer}/oauth/revoke`, { client: scene.client, params: { token } });
      return !before && (await cutOff(jti));
    },
    subject_token: async (token) => {
      const params = {
        grant_type: EXCHANGE,
        subject_token: token,
        subject_token_type: ACCESS_TOKEN,
        resource: downstream,
      };
      return (await askToken({ client: scene.client, params })).status === 200;
    },
    actor_token: async (token) => {
      const params = {
        grant_type: EXCHANGE,
        subject_token: await MAKE['access token'](),
        subject_token_type: ACCESS_TOKEN,
        actor_token: token,
        actor_token_type: ACCESS_TOKEN,
        resource: downstream,
      };
      return (await askToken({ client: scene.client, params })).status === 200;
    },
    client_assertion: async (jwt) => {
      const params = { client_assertion_type: ASSERTION_TYPE, client_assertion: jwt, ...named() };
      return (await askToken({ params })).status === 200;
    },
    assertion: async (jwt) => {
      const params = { grant_type: JWT_BEARER, assertion: jwt, ...named() };
      return (await askToken({ params })).status === 200;
    },
    new_key: async (jwt) => {
      const { header } = decodeJwt(jwt);
      const cnf = { jkt: thumbprintOf((header['jwk'] ?? holder.jwk) as Record<string, unknown>) };
      const params = {
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: client.assertion({ cnf }),
        new_key: jwt,
      };
      return (await aboutToken(`${target.issuer}/oauth/rotate`, { params })).status === 200;
    },
    'a DPoP header': async (jwt) =>
      (await askToken({ client: scene.client, params: named(), headers: [['DPoP', jwt]] })).status === 200,
    'a sign-in': async (idToken) => {
      const nonceVerifier = nonceVerifiers.get(payloadOf(idToken)) ?? secret();
      return (await exchangeIdToken(target, { idToken, nonceVerifier }, makeKey())).status === 200;
    },
    'the admin API with a proof': async (token) => {
      const key = keys.get(payloadOf(token)) ?? holder;
      return (await callAs(target, { token, key }, 'GET', '/v1/me')).status === 200;
    },
    'a client assertion of SPIFFE': async (jwt) => {
      const params = {
        client_id: scene.client.id,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe',
        client_assertion: jwt,
        ...named(),
      };
      return (await askToken({ params })).status === 200;
    },
  };

  async function cutOff(jti: unknown): Promise<boolean> {
    const feed = await send(`${target.issuer}/oauth/cutoffs?after=0&wait=0`, { ca: target.ca });
    return JSON.stringify(decodeJwt(feed.text).claims['entries']).includes(String(jti));
  }

  describe.each(Object.keys(PLACES) as Place[])('at %s', (place) => {
    test.each(KINDS)('%s', async (kind) => {
      const wanted = (PLACES[place] as readonly Kind[]).includes(kind);
      expect(await TAKES[place](await MAKE[kind]())).toBe(wanted);
    });

    test.each(KINDS)('%s, called what belongs here: its signature is another one’s', async (kind) => {
      const { header, claims, signature } = decodeJwt(await MAKE[kind]());
      for (const typ of ['at+jwt', 'JWT', 'dpop+jwt', 'client-authentication+jwt', 'new-key+jwt', undefined])
        expect(
          typ === header['typ'] || !(await TAKES[place](encodeJwt({ ...header, typ }, claims, signature))),
        ).toBe(true);
    });
  });

  test('the authority is no trusted issuer of its own', async () => {
    const { keys } = jsonOf(await send(target.jwksUri, { ca: target.ca }));
    const body = { issuer: target.issuer, name: freshName('own'), algorithms: ['ES256'], jwks: { keys } };
    expectProblem(await scene.admin.call('POST', '/trusted-issuers', { body }), 409);
  });
});
