// Opaque tokens at an API (RFC 7662): the authority is asked, and its answers are kept for a while.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { AUDIENCE } from '../test/tiny-issuer.ts';
import { verifierScene } from '../test/verifier-scene.ts';
import type { Introspecting } from './introspecting.ts';
import { Introspection } from './introspection.ts';
import { VerifierOptionError, type VerifierOptions } from './options.ts';
import { type Verifier } from './verifier.ts';

const scene = verifierScene();
let asked: string[];
let answer: () => Promise<{ active: boolean; [name: string]: unknown }>;
const client: Introspecting = {
  introspect(token) {
    asked.push(token);
    return answer();
  },
};

beforeEach(() => {
  asked = [];
  answer = async () => active();
});

function active(change: object = {}): { active: boolean; [name: string]: unknown } {
  const times = { iat: scene.now, exp: scene.now + 600, jti: 'j1' };
  const who = { sub: 'payments', client_id: 'payments', crd: 'crd_1' };
  const claims = { iss: scene.tiny.issuer, aud: AUDIENCE, scope: 'fraud:read', ...who, ...times };
  return { active: true, token_type: 'Bearer', ...claims, ...change };
}
function verifierOf(options: Partial<VerifierOptions> = {}): Verifier {
  return scene.open({ introspect: client, ...options });
}
const reasonOf = async (verifier: Verifier, token: string, scope = 'fraud:read') => {
  const result = await verifier.verify(token, { scope });
  return result.ok ? 'ok' : result.reason;
};

describe('an opaque token', () => {
  it('is what the authority says', async () => {
    const result = await verifierOf().verify('cot_x', { scope: 'fraud:read' });
    expect(result).toMatchObject({ ok: true, scopes: ['fraud:read'], claims: { client_id: 'payments' } });
    expect(asked).toEqual(['cot_x']);
  });

  it.each<[string, object, string]>([
    ['not active', { active: false }, 'not_active'],
    ['active as a text', { active: 'true' }, 'not_active'],
    ['of another issuer', { iss: 'https://other.example' }, 'wrong_issuer'],
    ['for another API', { aud: 'https://ledger.example' }, 'wrong_audience'],
    ['past its end', { exp: 1_800_000_000 - 5 }, 'expired'],
    ['without claims', { jti: undefined }, 'bad_claims'],
    ['without the scope', { scope: 'fraud:list' }, 'insufficient_scope'],
    ['bound to a key', { cnf: { jkt: 'A'.repeat(43) } }, 'bound_token_as_bearer'],
  ])('is refused when it is %s', async (_what, change, reason) => {
    answer = async () => active(change);
    expect(await reasonOf(verifierOf(), 'cot_x')).toBe(reason);
  });

  it('is not waited for without end when whoever is asked never answers', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      let answered: ((answer: object) => void) | undefined;
      answer = () => new Promise((resolve) => (answered = resolve as never));
      const introspection = new Introspection({ client, clock: () => scene.now, sha256: (text) => text });
      const waiting = [introspection.ask('cot_x'), introspection.ask('cot_x')];
      await vi.advanceTimersByTimeAsync(9_999);
      expect(asked).toEqual(['cot_x']);
      await vi.advanceTimersByTimeAsync(1);
      expect(await Promise.all(waiting)).toEqual(
        waiting.map(() => ({ reason: 'introspection_unavailable', detail: 'timeout' })),
      );
      // What came too late is not what the next one is told.
      answered?.(active());
      answer = async () => ({ active: false });
      expect(await introspection.ask('cot_x')).toEqual({ reason: 'not_active' });
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is nothing without the option', async () => {
    expect(await reasonOf(verifierOf({ introspect: false }), 'cot_x')).toBe('malformed_token');
  });

  it('is answered 503 while the authority cannot be asked, and asked about again', async () => {
    answer = () => Promise.reject(new Error('gone'));
    const verifier = verifierOf();
    const result = await verifier.verify('cot_x');
    expect(result).toMatchObject({ ok: false, status: 503, reason: 'introspection_unavailable' });
    answer = async () => active();
    expect(await reasonOf(verifier, 'cot_x')).toBe('ok');
  });

  it('that is longer than any is not asked about', async () => {
    expect(await reasonOf(verifierOf(), 'a'.repeat(16_385))).toBe('malformed_token');
    expect(asked).toEqual([]);
  });
});

describe('an answer', () => {
  it('is kept for 60 seconds, for its token alone', async () => {
    const verifier = verifierOf();
    for (let i = 0; i < 3; i++) expect(await reasonOf(verifier, 'cot_x')).toBe('ok');
    await reasonOf(verifier, 'cot_y');
    expect(asked).toEqual(['cot_x', 'cot_y']);
    scene.now += 59;
    await reasonOf(verifier, 'cot_x');
    expect(asked).toHaveLength(2);
    scene.now += 1;
    await reasonOf(verifier, 'cot_x');
    expect(asked).toHaveLength(3);
  });

  it('is never kept beyond the end of the token', async () => {
    answer = async () => active({ exp: scene.now + 20 });
    const verifier = verifierOf({ leeway: 0 });
    expect(await reasonOf(verifier, 'cot_x')).toBe('ok');
    scene.now += 20;
    answer = async () => ({ active: false });
    expect(await reasonOf(verifier, 'cot_x')).toBe('not_active');
  });

  it('that says no is kept for 10 seconds', async () => {
    answer = async () => ({ active: false });
    const verifier = verifierOf();
    for (let i = 0; i < 3; i++) expect(await reasonOf(verifier, 'cot_x')).toBe('not_active');
    scene.now += 10;
    await reasonOf(verifier, 'cot_x');
    expect(asked).toHaveLength(2);
  });

  it('serves all who wait for it', async () => {
    const verifier = verifierOf();
    const reasons = await Promise.all(Array.from({ length: 20 }, () => reasonOf(verifier, 'cot_x')));
    expect([...new Set(reasons)]).toEqual(['ok']);
    expect(asked).toHaveLength(1);
  });

  it('is one of 10,000 at most', async () => {
    const verifier = verifierOf();
    for (let i = 0; i <= 10_000; i++) await reasonOf(verifier, `cot_${i}`);
    await reasonOf(verifier, 'cot_10000');
    expect(asked).toHaveLength(10_001);
    await reasonOf(verifier, 'cot_0');
    expect(asked).toHaveLength(10_002);
  });
});

describe('strangers who invent tokens', () => {
  it('do not push out what is known of good ones', async () => {
    const verifier = verifierOf();
    expect(await reasonOf(verifier, 'cot_good')).toBe('ok');
    answer = async () => ({ active: false });
    for (let i = 0; i <= 10_000; i++) await reasonOf(verifier, `cot_${i}`);
    expect(await reasonOf(verifier, 'cot_good')).toBe('ok');
    expect(asked.filter((token) => token === 'cot_good')).toHaveLength(1);
  });

  it('keep nobody out whose token was good a moment ago', async () => {
    const verifier = verifierOf();
    expect(await reasonOf(verifier, 'cot_good')).toBe('ok');
    scene.now += 61;
    const answers: (() => void)[] = [];
    answer = () => new Promise((resolve) => answers.push(() => resolve({ active: false })));
    const strangers = Array.from({ length: 256 }, (_, i) => reasonOf(verifier, `cot_${i}`));
    await expect.poll(() => answers.length).toBe(256);
    answer = async () => active();
    expect(await reasonOf(verifier, 'cot_good')).toBe('ok');
    for (const each of answers) each();
    expect(new Set(await Promise.all(strangers))).toEqual(new Set(['not_active']));
  });

  it('have the authority asked about 256 of them at once and no more', async () => {
    const verifier = verifierOf();
    const answers: (() => void)[] = [];
    answer = () => new Promise((resolve) => answers.push(() => resolve({ active: false })));
    const reasons = Promise.all(Array.from({ length: 300 }, (_, i) => reasonOf(verifier, `cot_${i}`)));
    await expect.poll(() => answers.length).toBe(256);
    for (const each of answers) each();
    const all = await reasons;
    expect(all.filter((reason) => reason === 'introspection_unavailable')).toHaveLength(44);
    expect(all.filter((reason) => reason === 'not_active')).toHaveLength(256);
    answer = async () => active();
    expect(await reasonOf(verifier, 'cot_299')).toBe('ok');
  });
});

describe('cut-offs', () => {
  it('end an opaque token whose answer is kept', async () => {
    const verifier = verifierOf({ cutoffs: {} });
    await verifier.ready();
    expect(await reasonOf(verifier, 'cot_x')).toBe('ok');
    scene.tiny.cut({ kind: 'token', id: 'j1', not_before: scene.now });
    await expect.poll(() => reasonOf(verifier, 'cot_x')).toBe('cut_off');
    expect(asked).toHaveLength(1);
  });

  it('that cannot be followed leave the word of the authority, while it is as young', async () => {
    scene.tiny.intercept = (request, response) => {
      if (request.url?.startsWith('/oauth/cutoffs') !== true) return false;
      response.writeHead(503).end();
      return true;
    };
    const verifier = verifierOf({ cutoffs: { staleAfter: 10, onStale: 'introspect' } });
    for (const token of ['cot_x', scene.tiny.token()]) {
      asked = [];
      answer = async () => active();
      expect(await reasonOf(verifier, token)).toBe('ok');
      expect(await reasonOf(verifier, token)).toBe('ok');
      expect(asked).toEqual([token]);
      scene.now += 10;
      answer = async () => ({ active: false });
      expect(await reasonOf(verifier, token)).toBe('not_active');
    }
    answer = () => Promise.reject(new Error('gone'));
    expect(await reasonOf(verifier, scene.tiny.token({ jti: 'j2' }))).toBe('cutoffs_stale');
  });
});

describe('the option', () => {
  it.each<[string, object]>([
    ['introspect', { introspect: true }],
    ['introspect', { issuer: undefined, issuers: ['https://a.example', 'https://b.example'] }],
    ['introspect', { introspect: false, cutoffs: { onStale: 'introspect' } }],
  ])('%s is refused in %j', (option, options) => {
    expect(() => verifierOf(options)).toThrow(VerifierOptionError);
    expect(() => verifierOf(options)).toThrow(option);
  });
});
