// Tokens that come again: what is remembered of them, and what is asked each time all the same.
import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { newHolder, proofFor } from '../test/holder.ts';
import { AUDIENCE } from '../test/tiny-issuer.ts';
import { NOW, verifierScene } from '../test/verifier-scene.ts';
import { VerifierOptionError, type VerifierOptions } from './options.ts';
import { type VerifiedToken, VerifiedTokens } from './verified-tokens.ts';
import { type Verifier } from './verifier.ts';

const scene = verifierScene();
let verifier: Verifier;

beforeEach(() => {
  verifier = verifierOf({ cutoffs: false });
});

const verifierOf = (options: Partial<VerifierOptions>): Verifier => scene.open(options);
const reasonOf = async (token: string, scope?: string) => {
  const result = await verifier.verify(token, scope === undefined ? {} : { scope });
  return result.ok ? 'ok' : result.reason;
};
/** Accepted three times: from the third on it is remembered. */
async function remembered(token = scene.tiny.token()): Promise<string> {
  for (let i = 0; i < 3; i++) expect(await reasonOf(token)).toBe('ok');
  return token;
}

describe('a token that is remembered', () => {
  it('gives the same claims, which nobody can change for the next request', async () => {
    const token = await remembered(scene.tiny.token({ act: { sub: 'a' }, more: { deep: [1] } }));
    const one = await verifier.verify(token);
    const other = await verifier.verify(token);
    if (!one.ok || !other.ok) throw new Error('not accepted');
    expect(one.claims).toBe(other.claims);
    const { claims } = one;
    for (const part of [claims, claims.scope, claims.aud, claims.act, claims.all, claims.all['more']]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
    expect(() => (claims.scope as unknown as string[]).push('fraud:write')).toThrow(TypeError);
    expect(await reasonOf(token, 'fraud:write')).toBe('insufficient_scope');
  });

  it('lends its signature to no other token', async () => {
    const token = await remembered();
    const [head, body, signature] = token.split('.') as [string, string, string];
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as object;
    const forged = Buffer.from(JSON.stringify({ ...claims, scope: 'fraud:write' })).toString('base64url');
    for (let i = 0; i < 3; i++)
      expect(await reasonOf(`${head}.${forged}.${signature}`)).toBe('bad_signature');
    expect(await reasonOf(`${head}.${body}.AAAA${signature.slice(4)}`)).toBe('bad_signature');
    expect(await reasonOf(token)).toBe('ok');
  });

  it('is refused from the second on in which it expires', async () => {
    const token = await remembered(scene.tiny.token({ exp: NOW + 60 }));
    scene.now = NOW + 64;
    expect(await reasonOf(token)).toBe('ok');
    scene.now = NOW + 65;
    expect(await reasonOf(token)).toBe('expired');
  });

  it('is refused while the clock says that it is not yet valid', async () => {
    const token = await remembered(scene.tiny.token({ nbf: NOW }));
    scene.now = NOW - 6;
    expect(await reasonOf(token)).toBe('not_yet_valid');
  });

  it('is refused for want of a scope, and with another scope accepted', async () => {
    const token = await remembered();
    expect(await reasonOf(token, 'fraud:read')).toBe('ok');
    expect(await reasonOf(token, 'fraud:write')).toBe('insufficient_scope');
    expect(await reasonOf(token, 'fraud:list fraud:read')).toBe('ok');
  });

  it('is refused as soon as it is cut off', async () => {
    await verifier.close();
    verifier = verifierOf({ cutoffs: {} });
    await verifier.ready();
    const token = await remembered(scene.tiny.token({ jti: 'stolen' }));
    const other = await remembered(scene.tiny.token({ jti: 'other', client_id: 'other' }));
    scene.tiny.cut({ kind: 'token', id: 'stolen', not_before: NOW });
    await vi.waitFor(async () => expect(await reasonOf(token)).toBe('cut_off'), 2000);
    expect(await reasonOf(other)).toBe('ok');
    scene.tiny.cut({ kind: 'key', id: 'k1', not_before: NOW });
    await vi.waitFor(async () => expect(await reasonOf(other)).toBe('cut_off'), 2000);
  });

  it('is answered 503 while nothing is known of cut-offs any more', async () => {
    await verifier.close();
    verifier = verifierOf({ cutoffs: {} });
    await verifier.ready();
    const token = await remembered();
    scene.tiny.intercept = (_, response) => {
      response.writeHead(503).end();
      return true;
    };
    scene.now = NOW + 60;
    expect(await reasonOf(token)).toBe('cutoffs_stale');
  });

  it('is refused when its key is published no more, and accepted without another signature when it still is', async () => {
    const token = await remembered();
    const claims = async () => ((await verifier.verify(token)) as { claims?: object }).claims;
    const before = await claims();
    scene.now = NOW + 301;
    await verifier.verify(token);
    await vi.waitFor(() => expect(scene.tiny.hits.get('/oauth/jwks')).toBe(2));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await claims()).toBe(before);
    const longer = await remembered(scene.tiny.token({ exp: NOW + 3600 }));
    scene.tiny.jwks.keys.length = 0;
    scene.tiny.addKey('k2');
    scene.now = NOW + 640;
    await verifier.verify(longer);
    await vi.waitFor(async () => expect(await reasonOf(longer)).toBe('unknown_key'));
  });

  it('is refused when another key takes the place of its own under the same kid', async () => {
    const token = await remembered();
    scene.tiny.jwks.keys.length = 0;
    scene.tiny.addKey('k1');
    scene.now = NOW + 301;
    await vi.waitFor(async () => expect(await reasonOf(token)).toBe('bad_signature'));
  });

  it('needs its proof every time', async () => {
    const holder = newHolder();
    const token = scene.tiny.token({ cnf: { jkt: holder.jkt } });
    const url = `${AUDIENCE}/x`;
    for (let i = 0; i < 4; i++) {
      const dpop = proofFor(holder, { url, token, iat: scene.now });
      const ask = () => verifier.verify(token, { method: 'GET', url, dpop });
      expect((await ask()).ok).toBe(true);
      expect(await ask()).toMatchObject({ reason: 'dpop_proof_replayed' });
    }
    expect(await reasonOf(token)).toBe('bound_token_as_bearer');
  });

  it('is none once the verifier is closed', async () => {
    const token = await remembered();
    await verifier.close();
    expect(await reasonOf(token)).toBe('closed');
  });
});

it('nothing is remembered of a token that was refused', async () => {
  const token = scene.tiny.token({ exp: NOW - 60, iat: NOW - 600 });
  for (let i = 0; i < 4; i++) expect(await reasonOf(token)).toBe('expired');
  scene.now = NOW - 300;
  expect(await reasonOf(token)).toBe('ok');
});

describe('the memory', () => {
  const entry = (): VerifiedToken => ({ claims: {}, header: {}, signer: {} }) as unknown as VerifiedToken;
  const twice = (memory: VerifiedTokens, token: string): void => {
    for (let i = 0; i < 2; i++) memory.add(token, entry());
  };

  it('begins with the second time', () => {
    const memory = new VerifiedTokens(10);
    memory.add('a.b.cccccccc', entry());
    expect(memory.get('a.b.cccccccc')).toBeUndefined();
    memory.add('a.b.cccccccc', entry());
    expect(memory.get('a.b.cccccccc')).toBeDefined();
  });

  it('begins for each of many that come in turn', () => {
    const memory = new VerifiedTokens(5000);
    const tokens = Array.from(
      { length: 1000 },
      (_, i) => `a.b.${createHash('sha256').update(String(i)).digest('base64url')}`,
    );
    for (let turn = 0; turn < 2; turn++) for (const token of tokens) memory.add(token, entry());
    expect(tokens.filter((token) => memory.get(token) === undefined)).toEqual([]);
  });

  it('holds no more than its limit, and forgets what was not used', () => {
    const memory = new VerifiedTokens(100);
    const tokens = Array.from({ length: 1000 }, (_, i) => `a.b.${String(i * 7_919_993).padStart(8, '0')}`);
    twice(memory, 'a.b.alwaysused');
    for (const token of tokens) {
      twice(memory, token);
      expect(memory.get('a.b.alwaysused')).toBeDefined();
    }
    const held = tokens.filter((token) => memory.get(token) !== undefined);
    expect(held.length).toBeLessThanOrEqual(100);
    expect(held.length).toBeGreaterThan(40);
    expect(held.at(-1)).toBe(tokens.at(-1));
  });

  it('takes no token of more than 4,096 characters', () => {
    const memory = new VerifiedTokens(10);
    for (const length of [4096, 4097]) twice(memory, 'x'.repeat(length));
    expect(memory.get('x'.repeat(4096))).toBeDefined();
    expect(memory.get('x'.repeat(4097))).toBeUndefined();
  });

  it('may be turned off', async () => {
    const off = verifierOf({ cutoffs: false, remember: 0 });
    const token = scene.tiny.token();
    const seen = new Set<unknown>();
    for (let i = 0; i < 4; i++) seen.add(((await off.verify(token)) as { claims?: object }).claims);
    expect(seen.size).toBe(4);
    for (const remember of [-1, 0.5, 1_000_001]) {
      expect(() => verifierOf({ remember })).toThrow(VerifierOptionError);
    }
    await off.close();
  });
});
