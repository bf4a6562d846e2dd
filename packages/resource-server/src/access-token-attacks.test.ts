// Our own attack set against the verifier: no bad token is accepted, no good one refused, nothing is thrown, and jose, as
// an oracle, accepts whatever is accepted here.
import * as jose from 'jose';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type AccessTokenScene,
  accessTokenAttacks,
  goodAccessTokens,
  goodClaims,
} from '../test/attacks/access-token.ts';
import { forge, type Pair, pairOf, part, published } from '../test/attacks/forge.ts';
import type { VerifyResult } from './token-request.ts';
import { createVerifier, type Verifier } from './verifier.ts';

const NOW = 1_800_000_000;
const ALGORITHMS = ['ES256', 'ES384', 'RS256', 'RS384', 'PS256', 'EdDSA', 'Ed25519'];
const pairs = ALGORITHMS.map((alg, i) => pairOf(alg, `k${i}`));
const scene: AccessTokenScene = {
  issuer: 'https://as.example.com',
  audience: 'https://fraud.example.com',
  now: NOW,
  leeway: 5,
  pairs,
  stranger: pairOf('ES256', 'k0'),
};
const attacks = accessTokenAttacks(scene);
const good = goodAccessTokens(scene);
let verifier: Verifier;
beforeAll(() => {
  verifier = verifierWith(pairs.map((pair) => published(pair)));
});
afterAll(() => verifier.close());

function verifierWith(keys: unknown[]): Verifier {
  const { issuer, audience } = scene;
  return createVerifier({ issuer, audience, jwks: { keys }, clock: () => NOW, cutoffs: false });
}

/** The form that every refusal has, whatever is wrong. */
function expectRefusal(result: VerifyResult): void {
  expect(result).toMatchObject({ ok: false, status: 401, error: 'invalid_token' });
  expect(result.headers?.['WWW-Authenticate']).toMatch(/^(Bearer|DPoP) error="invalid_token"/);
}

it('there are more than 240 attacks, all different, and good ones beside them', () => {
  expect(new Set(attacks.map(([, token]) => token)).size).toBe(attacks.length);
  expect(new Set(attacks.map(([name]) => name)).size).toBe(attacks.length);
  expect(attacks.length).toBeGreaterThan(240);
  expect(good.length).toBeGreaterThan(35);
});

describe('is refused', () => {
  it.each(attacks)('%s', async (_, token) => {
    expectRefusal(await verifier.verify(token));
    // The second time as the first: what is remembered are good tokens only.
    expectRefusal(await verifier.verify(token));
  });
});

describe('is accepted, here as with jose', () => {
  it.each(good)('%s', async (_, token) => {
    expect(await verifier.verify(token)).toMatchObject({ ok: true });
    expect(await verifier.verify(token)).toMatchObject({ ok: true });
    expect(await joseAccepts(token)).toBe(true);
  });

  it.each(ALGORITHMS)('what jose signs with %s', async (alg) => {
    const pair = pairs.find((each) => each.alg === alg) as Pair;
    const { iat, exp, ...rest } = goodClaims(scene);
    const token = await new jose.SignJWT(rest)
      .setProtectedHeader({ alg, typ: 'at+jwt', kid: pair.kid })
      .setIssuedAt(iat as number)
      .setExpirationTime(exp as number)
      .sign(pair.privateKey);
    expect(await verifier.verify(token)).toMatchObject({ ok: true });
  });
});

/** As a careful user sets it up. */
async function joseAccepts(token: string): Promise<boolean> {
  const keys = jose.createLocalJWKSet({ keys: pairs.map((pair) => published(pair)) as jose.JWK[] });
  return jose
    .jwtVerify(token, keys, {
      issuer: scene.issuer,
      audience: scene.audience,
      typ: 'at+jwt',
      algorithms: ALGORITHMS,
      clockTolerance: scene.leeway,
      requiredClaims: ['exp', 'iat', 'jti', 'sub', 'client_id'],
      currentDate: new Date(NOW * 1000),
    })
    .then(
      () => true,
      () => false,
    );
}

describe('by chance', () => {
  const bases = good.map(([, token]) => token);
  it('a token with one character changed is refused', async () => {
    const other = fc.constantFrom(...'ABCXYZabcxyz0189-_.=+/ \n%'.split(''));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...bases),
        fc.double({ min: 0, max: 0.999_999, noNaN: true }),
        other,
        async (token, where, char) => {
          const at = Math.floor(where * token.length);
          fc.pre(token[at] !== char);
          return !(await verifier.verify(token.slice(0, at) + char + token.slice(at + 1))).ok;
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('what is accepted is accepted by jose, whatever claims and header say', async () => {
    const by = pairs[0] as Pair;
    const odd = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom(undefined, NOW, '', scene.audience, scene.issuer),
    );
    const names = fc.constantFrom(
      'iss',
      'sub',
      'client_id',
      'aud',
      'exp',
      'iat',
      'nbf',
      'jti',
      'scope',
      'cnf',
      'act',
      'crd',
    );
    const header = fc.constantFrom(
      {},
      { typ: 'JWT' },
      { typ: 'at+jwt' },
      { kid: undefined },
      { crit: ['x'] },
    );
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(names, odd, header, async (name, value, change) => {
        const token = forge(
          { typ: 'at+jwt', alg: by.alg, kid: by.kid, ...change },
          { ...goodClaims(scene), [name]: value },
          by,
        );
        const result = await verifier.verify(token);
        if (result.ok) accepted++;
        return !result.ok || (await joseAccepts(token));
      }),
      { numRuns: 1000 },
    );
    expect(accepted).toBeGreaterThan(0);
  });

  it('no text and no value at all is thrown about', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string({ unit: 'binary' }), fc.anything()), async (value) => {
        const result = await verifier.verify(value as string);
        return !result.ok && result.status === 401;
      }),
      { numRuns: 1000 },
    );
  });

  it('parts of different tokens do not make one', async () => {
    const piece = fc.constantFrom(
      ...bases.flatMap((token) => token.split('.')),
      part({ alg: 'none' }),
      'AA',
      '',
    );
    await fc.assert(
      fc.asyncProperty(piece, piece, piece, async (head, body, tail) => {
        const token = `${head}.${body}.${tail}`;
        fc.pre(!bases.includes(token));
        return !(await verifier.verify(token)).ok;
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a key set that holds', () => {
  const es = pairs[0] as Pair;
  const token = good[0]?.[1] as string;
  const rsa1024 = pairOf('RS256', 'weak');
  it.each<[string, unknown]>([
    ['a key for encryption', published(es, { use: 'enc' })],
    ['a key for other operations', published(es, { use: undefined, key_ops: ['encrypt'] })],
    ['a private key', { ...es.privateKey.export({ format: 'jwk' }), kid: es.kid, alg: 'ES256' }],
    ['a key of another algorithm', published(es, { alg: 'ES384' })],
    ['a key of no algorithm here', published(es, { alg: 'ES256K' })],
    ['a point off the curve', published(es, { y: es.jwk['x'] })],
    ['a coordinate that is short', published(es, { x: String(es.jwk['x']).slice(0, -4) })],
    ['a secret', { kty: 'oct', k: part('secret'), kid: es.kid, alg: 'HS256' }],
    ['another curve', published(es, { crv: 'P-384' })],
    ['an exponent of 1', published(rsa1024, { e: 'AQ' })],
  ])('%s gives no token a key', async (_, jwk) => {
    const other = published(pairs[1] as Pair);
    const at = verifierWith([jwk, other]);
    expectRefusal(await at.verify(token));
    await at.close();
  });

  it('two keys with one kid gives neither', async () => {
    const at = verifierWith([published(es), published(scene.stranger), published(pairs[1] as Pair)]);
    expectRefusal(await at.verify(token));
    await at.close();
  });
});
