import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Machine } from './wire/admin.ts';
import { openAdmin } from './wire/admin.ts';
import { type AssertionKey as Holder, makeKey } from './wire/client-assertion.ts';
import { accessTokenHash, dpopProof, seconds, thumbprint } from './wire/dpop-proof.ts';
import { type Answer, jsonOf, send } from './wire/exchange.ts';
import { parseChallenge } from './wire/expectations.ts';
import { decodeJwt } from './wire/jwt.ts';
import { freshName, openScene, type Scene, seedOperator, seedScene } from './wire/scene.ts';
import { currentTarget } from './wire/target.ts';
import { askToken, basic } from './wire/token-request.ts';

// RFC 9449: proofs at the token endpoint, and at the admin API, which is an ordinary resource server.
const target = currentTarget();
const endpoint = target.tokenEndpoint;
const { origin, pathname: issuerPath } = new URL(target.issuer);
const place = `${origin}/.well-known/oauth-authorization-server${issuerPath.replace(/\/$/, '')}`;
const metadata = jsonOf(await send(place, { ca: target.ca }));
const supported = Array.isArray(metadata['dpop_signing_alg_values_supported']);

interface Asker {
  readonly scene: Scene;
  readonly holder: Holder;
  nonce: string | undefined;
}

/** A token request with these proofs, in one DPoP header each. */
function show(
  { scene, ...rest }: Asker & { readonly resource?: string },
  ...proofs: string[]
): Promise<Answer> {
  const resource = rest.resource ?? scene.resource;
  return askToken({
    client: scene.client,
    params: resource === undefined ? {} : { resource },
    headers: proofs.map((proof) => ['DPoP', proof] as const),
  });
}

/** A proof for the token endpoint with the nonce that is known. */
function proofFor(
  asker: Asker,
  claims: Readonly<Record<string, unknown>> = {},
  header: Readonly<Record<string, unknown>> = {},
  by: Holder = asker.holder,
): string {
  return dpopProof(asker.holder, target, { nonce: asker.nonce, ...claims }, header, by);
}

/** Learns the nonce, where the authority wants one. */
async function ready(scene: Scene): Promise<Asker> {
  const asker: Asker = { scene, holder: makeKey(), nonce: undefined };
  const answer = await show(asker, proofFor(asker));
  asker.nonce = header(answer, 'dpop-nonce');
  return asker;
}

function header(answer: Answer, name: string): string | undefined {
  const value = answer.headers[name];
  return typeof value === 'string' ? value : undefined;
}

function expectBound(answer: Answer, holder: Holder): string {
  expect(answer.status, answer.text.slice(0, 300)).toBe(200);
  const body = jsonOf(answer);
  expect(body['token_type']).toBe('DPoP');
  const token = String(body['access_token']);
  if (token.split('.').length === 3)
    expect(decodeJwt(token).claims['cnf']).toEqual({ jkt: thumbprint(holder) });
  return token;
}

function expectRefused(answer: Answer, error: string | readonly string[]): void {
  expect(answer.status, answer.text.slice(0, 300)).toBe(400);
  expect([error].flat()).toContain(jsonOf(answer)['error']);
  expect(answer.headers['cache-control']).toContain('no-store');
  expect(jsonOf(answer)).not.toHaveProperty('access_token');
}

describe.runIf(supported)('RFC 9449 at the token endpoint (needs dpop_signing_alg_values_supported)', () => {
  let asker: Asker;
  beforeAll(async () => {
    asker = await ready(await openScene('rfc9449'));
  });

  test('section 5.1: the metadata names asymmetric algorithms only, ES256 among them', () => {
    const algorithms = metadata['dpop_signing_alg_values_supported'] as string[];
    expect(algorithms).toContain('ES256');
    for (const alg of algorithms) expect(alg).not.toMatch(/^(none|HS)/i);
  });

  test('sections 5 and 6.1: a proof binds the token to the thumbprint of its key, token_type says so', async () => {
    expectBound(await show(asker, proofFor(asker)), asker.holder);
  });

  test('section 5: a request without a proof gets a bearer token where the API does not say otherwise', async () => {
    const answer = await show(asker);
    expect(String(jsonOf(answer)['token_type']).toLowerCase()).toBe('bearer');
  });

  test('section 4.3, 1: two DPoP headers are refused', async () => {
    expectRefused(await show(asker, proofFor(asker), proofFor(asker)), 'invalid_dpop_proof');
  });

  const other = makeKey();
  const privateJwk = makeKey().privateKey.export({ format: 'jwk' });
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
  test.each<[string, (asker: Asker) => string]>([
    ['2: what is no JWT', () => 'no-jwt'],
    ['2: a JWT with an empty signature', (a) => `${proofFor(a).split('.').slice(0, 2).join('.')}.`],
    ['2: two proofs in one header', (a) => `${proofFor(a)}, ${proofFor(a)}`],
    ['3: without jti', (a) => proofFor(a, { jti: undefined })],
    ['3: with a jti that is no text', (a) => proofFor(a, { jti: 1 })],
    ['3: without htm', (a) => proofFor(a, { htm: undefined })],
    ['3: without htu', (a) => proofFor(a, { htu: undefined })],
    ['3: without iat', (a) => proofFor(a, { iat: undefined })],
    ['3: without jwk', (a) => proofFor(a, {}, { jwk: undefined })],
    ['4: typ JWT', (a) => proofFor(a, {}, { typ: 'JWT' })],
    ['4: no typ', (a) => proofFor(a, {}, { typ: undefined })],
    ['4: typ of an access token', (a) => proofFor(a, {}, { typ: 'at+jwt' })],
    ['5: alg none', (a) => proofFor(a, {}, { alg: 'none' })],
    ['5: alg HS256', (a) => proofFor(a, {}, { alg: 'HS256' })],
    ['5: an unknown alg', (a) => proofFor(a, {}, { alg: 'ES999' })],
    ['5: an alg that the key is not for', (a) => proofFor(a, {}, { jwk: rsa })],
    ['6: a signature of another key', (a) => proofFor(a, {}, {}, other)],
    ['6: a signature that was changed', (a) => proofFor(a).replace(/.{8}$/, 'AAAAAAAA')],
    ['7: a private key', (a) => proofFor(a, {}, { jwk: { ...privateJwk } })],
    ['7: a symmetric key', (a) => proofFor(a, {}, { jwk: { kty: 'oct', k: 'AAAA' } })],
    ['8: another method', (a) => proofFor(a, { htm: 'GET' })],
    ['8: the method in small letters', (a) => proofFor(a, { htm: 'post' })],
    ['9: another path', (a) => proofFor(a, { htu: `${endpoint}/x` })],
    ['9: another host', (a) => proofFor(a, { htu: 'https://evil.example/oauth/token' })],
    ['9: another scheme', (a) => proofFor(a, { htu: endpoint.replace(/^https?:/, 'ftp:') })],
    ['9: a path without a host', (a) => proofFor(a, { htu: new URL(endpoint).pathname })],
    ['11: two hours old', (a) => proofFor(a, { iat: seconds(-7200) })],
    ['11: from in two hours', (a) => proofFor(a, { iat: seconds(7200) })],
    [
      'an unknown critical extension (RFC 7515 section 4.1.11)',
      (a) => proofFor(a, {}, { crit: ['x'], x: 1 }),
    ],
  ])('section 4.3, %s is refused', async (_, make) => {
    expectRefused(await show(asker, make(asker)), 'invalid_dpop_proof');
  });

  test.each(['?a=b', '#f', '?a=b#f'])('section 4.3, 9: query and fragment do not count: %s', async (rest) => {
    expectBound(await show(asker, proofFor(asker, { htu: `${endpoint}${rest}` })), asker.holder);
  });

  test('section 4.3, 9: URLs are compared after normalisation', async () => {
    const { protocol, host, pathname } = new URL(endpoint);
    const htu = `${protocol.toUpperCase()}//${host.toUpperCase()}/x/..${pathname.replace('t', '%74')}`;
    expectBound(await show(asker, proofFor(asker, { htu })), asker.holder);
  });

  test('threat 51: what the Host header says is not the address of the endpoint', async () => {
    const proof = proofFor(asker, { htu: 'https://evil.example/oauth/token' });
    const answer = await askToken({
      client: asker.scene.client,
      headers: [
        ['Host', 'evil.example'],
        ['X-Forwarded-Host', 'evil.example'],
        ['DPoP', proof],
      ],
    });
    expect(answer.status).toBeGreaterThanOrEqual(400);
  });

  test('section 11.1: a proof is taken once, also when it comes 200 times at once', async () => {
    const proof = proofFor(asker);
    const answers = await Promise.all(Array.from({ length: 200 }, () => show(asker, proof)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 200)) {
      expectRefused(answer, 'invalid_dpop_proof');
    }
  });

  test('section 8: a proof without nonce, or with one that nobody gave, is told which to use', async (ctx) => {
    if (asker.nonce === undefined) return ctx.skip('by design: the authority wants no nonces');
    for (const nonce of [undefined, 'made-up']) {
      const answer = await show(asker, proofFor(asker, { nonce }));
      expectRefused(answer, 'use_dpop_nonce');
      expect(header(answer, 'dpop-nonce')).toMatch(/^[\x21\x23-\x5B\x5D-\x7E]+$/);
    }
  });

  test('section 8.2: a good answer brings a nonce too, and may not be stored', async (ctx) => {
    if (asker.nonce === undefined) return ctx.skip('by design: the authority wants no nonces');
    const answer = await show(asker, proofFor(asker));
    expect(header(answer, 'dpop-nonce')).toBeTruthy();
    expect(answer.headers['cache-control']).toContain('no-store');
  });

  test('a proof does not make up for a wrong secret', async () => {
    const client = { ...asker.scene.client, secret: 'wrong' };
    const answer = await askToken({
      headers: [
        ['Authorization', basic(client)],
        ['DPoP', proofFor(asker)],
      ],
    });
    expect(jsonOf(answer)['error']).toBe('invalid_client');
  });
});

describe.runIf(target.admin !== undefined && supported)('RFC 9449 (needs the admin API)', () => {
  test('section 5: an API that takes only bound tokens gets no others', async () => {
    const scene = await seedScene('rfc9449-only');
    const path = `/resource-servers/${scene.resourceServerId}`;
    const { status } = await scene.admin.change('PATCH', path, { sender_constraint: 'dpop' });
    expect(status).toBe(200);
    const asker = await ready(scene);
    expect((await show(asker)).status).toBe(400);
    expectBound(await show(asker, proofFor(asker)), asker.holder);
  });

  describe('at the admin API', () => {
    let asker: Asker;
    let token: string;
    let machine: Machine & { readonly resource: string };
    const list = `${target.admin?.api}/identities`;
    beforeAll(async () => {
      const admin = openAdmin(target);
      machine = await seedOperator(admin, freshName('rfc9449-admin'), ['identities:read']);
      asker = await ready({ target, client: machine, resource: machine.resource, scopes: [] });
      token = expectBound(await show(asker, proofFor(asker)), asker.holder);
    });
    const proof = (claims: Readonly<Record<string, unknown>> = {}, holder = asker.holder): string =>
      dpopProof(holder, target, { htm: 'GET', htu: list, ath: accessTokenHash(token), ...claims });
    const call = (scheme: string, ...proofs: string[]): Promise<Answer> =>
      send(`${list}?limit=1`, {
        headers: [['Authorization', `${scheme} ${token}`], ...proofs.map((each) => ['DPoP', each] as const)],
        ca: target.ca,
      });
    const errorOf = (answer: Answer): [number, string, string | undefined] => {
      const { scheme, params } = parseChallenge(String(answer.headers['www-authenticate']));
      return [answer.status, scheme, params['error']];
    };

    test('section 7.1: a bound token with a proof is taken, the scheme in any case', async () => {
      for (const scheme of ['DPoP', 'dpop']) expect((await call(scheme, proof())).status).toBe(200);
    });

    test('threat 19: section 7.2: a bound token as bearer is refused, with a proof beside it or not', async () => {
      expect((await call('Bearer')).status).toBe(401);
      expect((await call('Bearer', proof())).status).toBe(401);
    });

    test('threat 19: section 7.1: a bearer token with the DPoP scheme is refused', async () => {
      const bound = token;
      try {
        const answer = await askToken({ client: machine, params: { resource: machine.resource } });
        token = String(jsonOf(answer)['access_token']);
        expect(errorOf(await call('DPoP', proof()))).toEqual([401, 'DPoP', 'invalid_token']);
      } finally {
        token = bound;
      }
    });

    test('section 7.1: the challenge names the scheme, the error and the algorithms', async () => {
      const answer = await call('DPoP');
      expect(errorOf(answer)).toEqual([401, 'DPoP', 'invalid_dpop_proof']);
      const { params } = parseChallenge(String(answer.headers['www-authenticate']));
      expect(params['algs']?.split(' ')).toContain('ES256');
    });

    test.each<[string, () => string[], string]>([
      ['two proofs', () => [proof(), proof()], 'invalid_dpop_proof'],
      ['no ath', () => [proof({ ath: undefined })], 'invalid_dpop_proof'],
      ['ath of another token', () => [proof({ ath: accessTokenHash('x') })], 'invalid_dpop_proof'],
      ['another method', () => [proof({ htm: 'POST' })], 'invalid_dpop_proof'],
      ['another path', () => [proof({ htu: `${target.admin?.api}/access` })], 'invalid_dpop_proof'],
      ['the proof of the token request', () => [proofFor(asker)], 'invalid_dpop_proof'],
      ['another key', () => [proof({}, makeKey())], 'invalid_token'],
    ])('threat 18: section 4.3: %s is refused', async (_, make, error) => {
      expect(errorOf(await call('DPoP', ...make()))).toEqual([401, 'DPoP', error]);
    });

    test('section 11.1: a proof is taken once', async () => {
      const once = proof();
      const answers = await Promise.all(Array.from({ length: 50 }, () => call('DPoP', once)));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    });
  });
});
