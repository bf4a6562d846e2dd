// Tokens bound to a key, at an API: RFC 9449 §7, §9, §11.1.
import { beforeEach, describe, expect, it } from 'vitest';
import { type Holder, newHolder, proofFor } from '../../test/holder.ts';
import { AUDIENCE } from '../../test/tiny-issuer.ts';
import { NOW, verifierScene } from '../../test/verifier-scene.ts';
import { VerifierOptionError, type VerifierOptions } from '../options.ts';
import type { RefusalReason } from '../refusal.ts';
import { requireScope } from '../require-scope.ts';
import type { TokenRequest, VerifyResult } from '../token-request.ts';
import { type Verifier } from '../verifier.ts';

const URL_HERE = `${AUDIENCE}/cases`;
const ALGS = 'algs="ES256 ES384 PS256 EdDSA Ed25519"';
const scene = verifierScene();
let holder: Holder;
let token: string;
let verifier: Verifier;

beforeEach(() => {
  holder = newHolder();
  token = scene.tiny.token({ cnf: { jkt: holder.jkt } });
  verifier = verifierOf();
});

const verifierOf = (options?: Partial<VerifierOptions>): Verifier => scene.open(options);
const proof = (change: object = {}, header: object = {}, by = holder, of = token) =>
  proofFor(by, { url: URL_HERE, token: of, iat: scene.now }, change, header);
const show = (dpop: string | undefined, request: TokenRequest = {}, at = verifier) =>
  at.verify(token, { method: 'GET', url: URL_HERE, dpop, scheme: 'DPoP', ...request });

const reasonOf = (result: VerifyResult) => (result.ok ? 'ok' : result.reason);

describe('a bound token', () => {
  it('with its proof is accepted, with a new proof each time', async () => {
    for (let i = 0; i < 5; i++) expect(await show(proof())).toMatchObject({ ok: true });
  });

  it('with its proof is accepted without the scheme being named', async () => {
    const result = await verifier.verify(token, { method: 'GET', url: URL_HERE, dpop: proof() });
    expect(result).toMatchObject({ ok: true });
  });

  it.each<[RefusalReason, string, () => Promise<VerifyResult>]>([
    ['bound_token_as_bearer', 'invalid_token', () => verifier.verify(token)],
    ['bound_token_as_bearer', 'invalid_token', () => show(proof(), { scheme: 'Bearer' })],
    ['dpop_proof_missing', 'invalid_dpop_proof', () => show(undefined)],
    ['dpop_proof_malformed', 'invalid_dpop_proof', () => show('')],
    ['dpop_proof_malformed', 'invalid_dpop_proof', () => show(`${proof()}, ${proof()}`)],
    ['dpop_proof_malformed', 'invalid_dpop_proof', () => show(proof({}, { typ: 'JWT' }))],
    ['dpop_proof_malformed', 'invalid_dpop_proof', () => show(token)],
    ['dpop_proof_signature', 'invalid_dpop_proof', () => show(proof({}, { jwk: newHolder().jwk }))],
    ['dpop_key_mismatch', 'invalid_token', () => show(proof({}, {}, newHolder()))],
    ['dpop_proof_wrong_request', 'invalid_dpop_proof', () => show(proof({ htm: 'POST' }))],
    ['dpop_proof_wrong_request', 'invalid_dpop_proof', () => show(proof({ htu: `${AUDIENCE}/other` }))],
    ['dpop_proof_wrong_request', 'invalid_dpop_proof', () => show(proof({ ath: undefined }))],
    ['dpop_proof_wrong_request', 'invalid_dpop_proof', () => show(proof({}, {}, holder, scene.tiny.token()))],
    ['dpop_proof_outdated', 'invalid_dpop_proof', () => show(proof({ iat: scene.now - 61 }))],
    ['dpop_proof_outdated', 'invalid_dpop_proof', () => show(proof({ iat: scene.now + 31 }))],
  ])('is refused: %s (%s)', async (reason, error, present) => {
    const result = await present();
    expect(result).toMatchObject({ ok: false, status: 401, reason, error });
    expect(result.headers).toMatchObject({ 'WWW-Authenticate': `DPoP error="${error}", ${ALGS}` });
  });

  it('with something else than text for a proof is refused', async () => {
    for (const odd of [[proof()], { toString: [] }, 1, null]) {
      expect(reasonOf(await show(odd as unknown as string))).toBe('dpop_proof_malformed');
    }
  });

  it('is refused with a proof that was used', async () => {
    const once = proof();
    expect(await show(once)).toMatchObject({ ok: true });
    expect(await show(once)).toMatchObject({ status: 401, error: 'invalid_dpop_proof' });
    scene.now += 59;
    expect(reasonOf(await show(once))).toBe('dpop_proof_replayed');
    scene.now += 2;
    expect(reasonOf(await show(once))).toBe('dpop_proof_outdated');
  });

  it('is accepted once in 200 at the same time with one proof', async () => {
    const once = proof();
    const results = await Promise.all(Array.from({ length: 200 }, () => show(once)));
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
    expect(results.filter((each) => reasonOf(each) === 'dpop_proof_replayed')).toHaveLength(199);
  });

  it('bound to something unknown beside the key is refused', async () => {
    token = scene.tiny.token({ cnf: { jkt: holder.jkt, later: 1 } });
    expect(reasonOf(await show(proof()))).toBe('sender_constraint_not_supported');
  });

  it('whose proof cannot be placed is refused', async () => {
    for (const request of [{ method: undefined }, { url: undefined }] as object[]) {
      expect(reasonOf(await show(proof(), request))).toBe('sender_constraint_not_supported');
    }
    const urn = verifierOf({ audience: ['urn:fraud', AUDIENCE].slice(0, 1) });
    token = scene.tiny.token({ aud: 'urn:fraud', cnf: { jkt: holder.jkt } });
    expect(await show(proof({ ath: undefined }), { url: '/cases' }, urn)).toMatchObject({
      reason: 'sender_constraint_not_supported',
      detail: 'the option publicUrl is not set',
    });
  });

  it('is refused for its claims before its proof is used up', async () => {
    const once = proof();
    scene.now += 700;
    expect(reasonOf(await show(once))).toBe('expired');
    scene.now = NOW;
    expect(await show(once)).toMatchObject({ ok: true });
  });
});

describe('an unbound token', () => {
  it('with the DPoP scheme is refused, with a proof or without', async () => {
    token = scene.tiny.token();
    for (const dpop of [proof(), undefined]) expect(reasonOf(await show(dpop))).toBe('unbound_token_as_dpop');
  });

  it.each(['any', 'dpop'] as const)('is refused where %s is wanted', async (senderConstraint) => {
    const strict = verifierOf({ senderConstraint });
    expect(await strict.verify(scene.tiny.token())).toMatchObject({
      status: 401,
      error: 'invalid_token',
      reason: 'token_not_bound',
      headers: { 'WWW-Authenticate': `DPoP error="invalid_token", ${ALGS}` },
    });
    expect(await show(proof(), {}, strict)).toMatchObject({ ok: true });
    expect(strict.refuse('no_token').headers).toMatchObject({ 'WWW-Authenticate': `DPoP ${ALGS}` });
  });
});

describe('where nonces are asked for', () => {
  const key = new Uint8Array(32).fill(1);
  beforeEach(() => {
    verifier = verifierOf({ dpop: { nonces: { key } } });
  });

  it('the refusal brings one, the proof with it is taken, and so it is by an instance with the same key', async () => {
    const refused = await show(proof());
    expect(refused).toMatchObject({ status: 401, error: 'use_dpop_nonce', reason: 'dpop_nonce_missing' });
    const nonce = refused.headers?.['DPoP-Nonce'];
    expect(refused.headers).toMatchObject({
      'Cache-Control': 'no-store',
      'WWW-Authenticate': `DPoP error="use_dpop_nonce", ${ALGS}`,
    });
    const other = verifierOf({ dpop: { nonces: { key } } });
    for (const at of [verifier, other]) {
      expect(await show(proof({ nonce }), {}, at)).toMatchObject({
        ok: true,
        headers: { 'DPoP-Nonce': nonce, 'Cache-Control': 'no-store' },
      });
    }
    expect(reasonOf(await show(proof({ nonce }), {}, verifierOf({ dpop: { nonces: true } })))).toBe(
      'dpop_nonce_unknown',
    );
  });

  it('it is good for 5 to 10 minutes, and each answer brings the current one', async () => {
    const nonce = (await show(proof())).headers?.['DPoP-Nonce'];
    scene.now += 300;
    token = scene.tiny.token({ cnf: { jkt: holder.jkt } });
    const later = await show(proof({ nonce }));
    expect(later.ok && later.headers?.['DPoP-Nonce'] !== nonce).toBe(true);
    scene.now += 300;
    token = scene.tiny.token({ cnf: { jkt: holder.jkt } });
    expect(reasonOf(await show(proof({ nonce })))).toBe('dpop_nonce_unknown');
  });

  it('a proof refused for want of one is not used up', async () => {
    const nonce = (await show(proof({ jti: 'same' }))).headers?.['DPoP-Nonce'];
    expect(await show(proof({ jti: 'same', nonce }))).toMatchObject({ ok: true });
  });

  it('an unbound token has nothing to do with it', async () => {
    expect(await verifier.verify(scene.tiny.token())).not.toHaveProperty('headers');
  });
});

describe('the store of used proofs', () => {
  it('may be another one, and when it cannot be asked the request is answered 503', async () => {
    const ids: string[] = [];
    const shared = {
      claim: async (id: string, expiresAt: number) => {
        expect([id.length, expiresAt]).toEqual([43, scene.now + 61]);
        return ids.push(id) === 1;
      },
    };
    const at = verifierOf({ dpop: { usedProofs: shared } });
    expect((await show(proof(), {}, at)).ok).toBe(true);
    expect(reasonOf(await show(proof(), {}, at))).toBe('dpop_proof_replayed');
    for (const claim of [
      () => Promise.reject(new Error('gone')),
      () => {
        throw new Error('gone');
      },
    ]) {
      expect(await show(proof(), {}, verifierOf({ dpop: { usedProofs: { claim } } }))).toMatchObject({
        status: 503,
        error: undefined,
        reason: 'used_proofs_unavailable',
        detail: 'gone',
      });
    }
  });

  it('that is full refuses further proofs for a while', async () => {
    const at = verifierOf({ dpop: { usedProofs: { limit: 2 } } });
    const reasons = [];
    for (let i = 0; i < 3; i++) reasons.push(reasonOf(await show(proof(), {}, at)));
    expect(reasons).toEqual(['ok', 'ok', 'used_proofs_unavailable']);
  });

  it('is not filled by one caller, however many keys it has', async () => {
    const at = verifierOf({ dpop: { usedProofs: { limit: 10 } } });
    const call = async (of: { sub: string; client_id: string }) => {
      const key = newHolder();
      const bound = scene.tiny.token({ ...of, cnf: { jkt: key.jkt } });
      const request = {
        method: 'GET',
        url: URL_HERE,
        dpop: proof({}, {}, key, bound),
        scheme: 'DPoP',
      } as const;
      return reasonOf(await at.verify(bound, request));
    };
    const reasons: string[] = [];
    for (let i = 0; i < 12; i++) reasons.push(await call({ sub: 'greedy', client_id: 'greedy' }));
    expect(reasons.filter((reason) => reason === 'ok')).toHaveLength(8);
    expect(reasons.slice(8)).toEqual(Array(4).fill('used_proofs_unavailable'));
    expect(await call({ sub: 'payments', client_id: 'payments' })).toBe('ok');
    // Nor by who acts for it.
    expect(await call({ sub: 'greedy', client_id: 'payments' })).toBe('ok');
  });
});

describe('the address that a proof is for', () => {
  const request = (url: string, dpop: string | string[], host = 'fraud.example.com') => {
    const lines = ['Host', host, 'Authorization', `DPoP ${token}`];
    for (const each of [dpop].flat()) lines.push('DPoP', each);
    return { method: 'GET', url, rawHeaders: lines, headers: {} };
  };
  const ask = async (made: ReturnType<typeof request>, at = verifier) =>
    reasonOf(await requireScope(at, made, 'fraud:read'));

  it('is the audience’s origin and the path of the request, without the query', async () => {
    expect(await ask(request('/cases?page=2', proof()))).toBe('ok');
    expect(await ask(request('/cases', proof()))).toBe('ok');
    expect(await ask(request('/%63ases', proof()))).toBe('ok');
    expect(await ask(request('/other', proof()))).toBe('dpop_proof_wrong_request');
    expect(await ask(request('//cases', proof()))).toBe('dpop_proof_wrong_request');
  });

  it('is not what the Host header or an absolute request target says', async () => {
    const stolen = () => proof({ htu: 'https://evil.example/cases' });
    expect(await ask(request('/cases', stolen(), 'evil.example'))).toBe('dpop_proof_wrong_request');
    expect(await ask(request('https://evil.example/cases', stolen(), 'evil.example'))).toBe(
      'dpop_proof_wrong_request',
    );
    expect(await ask(request('https://fraud.example.com/cases', proof()))).toBe('ok');
    for (const url of ['', '*', 'evil.example:443', 'x']) {
      expect(await ask(request(url, stolen()))).toBe('dpop_proof_wrong_request');
    }
  });

  it('is below publicUrl behind a proxy that takes a path away', async () => {
    const at = verifierOf({ publicUrl: 'https://api.example.com/fraud/' });
    const there = () => proof({ htu: 'https://api.example.com/fraud/cases' });
    expect(await ask(request('/cases', there()), at)).toBe('ok');
    expect(await ask(request('/cases', proof()), at)).toBe('dpop_proof_wrong_request');
  });

  it('with two proofs is no address', async () => {
    expect(await ask(request('/cases', [proof(), proof()]))).toBe('dpop_proof_repeated');
  });

  it('does not matter to a bearer token', async () => {
    const lines = ['Authorization', `Bearer ${scene.tiny.token()}`, 'DPoP', 'junk', 'DPoP', 'junk'];
    const made = { rawHeaders: lines, headers: {} };
    expect(reasonOf(await requireScope(verifier, made, 'fraud:read'))).toBe('ok');
  });
});

it.each<[string, Partial<VerifierOptions>]>([
  ['senderConstraint', { senderConstraint: 'bearer' as 'none' }],
  ['publicUrl', { senderConstraint: 'dpop', audience: 'urn:fraud' }],
  ['publicUrl', { publicUrl: 'api.example.com' }],
  ['publicUrl', { publicUrl: 'https://api.example.com/?a' }],
  ['dpop.nonces', { dpop: { nonces: { key: new Uint8Array(31) } } }],
  ['dpop.usedProofs', { dpop: { usedProofs: { limit: 0 } } }],
])('a wrong option is named: %s', (option, options) => {
  let thrown: unknown;
  try {
    verifierOf(options);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(VerifierOptionError);
  expect(thrown).toMatchObject({ option });
});
