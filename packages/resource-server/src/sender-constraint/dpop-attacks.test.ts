// Our own set of bad proofs beside a good token: none is taken, no good one refused; jose makes some of the good ones.
import * as jose from 'jose';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goodProofClaims, goodProofs, proofAttacks, type ProofScene } from '../../test/attacks/dpop.ts';
import { forge, type Pair, pairOf, published } from '../../test/attacks/forge.ts';
import type { VerifyResult } from '../token-request.ts';
import { createVerifier, type Verifier } from '../verifier.ts';

const NOW = 1_800_000_000;
const ALGORITHMS = ['ES256', 'ES384', 'PS256', 'EdDSA', 'Ed25519'];
const issuer = 'https://as.example.com';
const audience = 'https://fraud.example.com';
const signer = pairOf('ES256', 'k0');
const holders = ALGORITHMS.map((alg) => pairOf(alg, 'holder'));
const thumbprints = new Map<Pair, string>();
let verifier: Verifier;

async function tokenFor(holder: Pair): Promise<string> {
  const jkt = await jose.calculateJwkThumbprint(holder.jwk as jose.JWK);
  thumbprints.set(holder, jkt);
  const claims = { iss: issuer, sub: 'p', client_id: 'p', aud: audience, iat: NOW, exp: NOW + 600, jti: 'j' };
  return forge({ typ: 'at+jwt', alg: 'ES256', kid: 'k0' }, { ...claims, cnf: { jkt } }, signer);
}

const holder = holders[0] as Pair;
const scene: ProofScene = {
  token: await tokenFor(holder),
  method: 'GET',
  url: `${audience}/cases/open`,
  now: NOW,
  holder,
  stranger: pairOf('ES256', 'stranger'),
  others: holders.slice(1),
};
const attacks = proofAttacks(scene);

beforeAll(() => {
  verifier = createVerifier({
    issuer,
    audience,
    jwks: { keys: [published(signer)] },
    clock: () => NOW,
    cutoffs: false,
  });
});
afterAll(() => verifier.close());

const show = (dpop: string, token = scene.token): Promise<VerifyResult> =>
  verifier.verify(token, { scheme: 'DPoP', method: scene.method, url: scene.url, dpop });

it('there are more than 100 attacks, all different', () => {
  expect(new Set(attacks.map(([, proof]) => proof)).size).toBe(attacks.length);
  expect(new Set(attacks.map(([name]) => name)).size).toBe(attacks.length);
  expect(attacks.length).toBeGreaterThan(100);
});

describe('is refused', () => {
  it.each(attacks)('%s', async (_, proof) => {
    const result = await show(proof);
    expect(result).toMatchObject({ ok: false, status: 401 });
    expect(['invalid_dpop_proof', 'invalid_token']).toContain(result.ok ? '' : result.error);
    expect(result.headers?.['WWW-Authenticate']).toMatch(/^DPoP error="invalid_(dpop_proof|token)", algs="/);
  });
});

describe('is taken, once', () => {
  it.each(goodProofs(scene))('%s', async (_, proof) => {
    expect(await show(proof)).toMatchObject({ ok: true });
    expect(await show(proof)).toMatchObject({ ok: false, reason: 'dpop_proof_replayed' });
  });

  it.each(holders)('what jose signs with $alg', async (by) => {
    const token = await tokenFor(by);
    const proof = await new jose.SignJWT(goodProofClaims({ ...scene, token }))
      .setProtectedHeader({ alg: by.alg, typ: 'dpop+jwt', jwk: by.jwk as jose.JWK })
      .sign(by.privateKey);
    expect(await show(proof, token)).toMatchObject({ ok: true });
    expect(await show(proof)).toMatchObject({ ok: false });
  });
});

describe('by chance', () => {
  it('a proof with one character changed is refused', async () => {
    const good = goodProofs(scene).map(([, proof]) => proof);
    const other = fc.constantFrom(...'ABCXYZabcxyz0189-_.=+/ ,'.split(''));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...good),
        fc.double({ min: 0, max: 0.999_999, noNaN: true }),
        other,
        async (proof, where, char) => {
          const at = Math.floor(where * proof.length);
          fc.pre(proof[at] !== char);
          return !(await show(proof.slice(0, at) + char + proof.slice(at + 1))).ok;
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('a proof that is taken has its method, address, time and token right', async () => {
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 1 }),
      fc.constantFrom(undefined, NOW, NOW - 60, 'GET', scene.url),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('jti', 'htm', 'htu', 'iat', 'ath'), value, async (name, odd) => {
        const good = goodProofClaims(scene);
        const result = await show(
          forge({ typ: 'dpop+jwt', alg: 'ES256', jwk: holder.jwk }, { ...good, [name]: odd }, holder),
        );
        if (!result.ok) return true;
        if (name === 'jti') return typeof odd === 'string';
        if (name === 'iat') return typeof odd === 'number' && odd >= NOW - 60 && odd <= NOW + 30;
        return odd === good[name];
      }),
      { numRuns: 1000 },
    );
  });

  it('no text is thrown about', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => !(await show(text)).ok),
      { numRuns: 500 },
    );
  });
});
