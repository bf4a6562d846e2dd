// What a scope opens, which tokens are held, and whose key is whose: RFC 9237 §2, RFC 9200 §5.10.1, RFC 9202 §3.3.1.
import { describe, expect, it } from 'vitest';
import { createDerivationKeys, type DerivationKey } from './derivation-keys.ts';
import { judge, scopesFor } from './permissions.ts';
import { createTokenStore, type HeldToken } from './token-store.ts';

describe('permissions', () => {
  const permissions = {
    read: [
      ['/door', ['GET']],
      ['/rooms/*', ['GET']],
    ],
    write: [['/door', ['PUT']]],
  } as const;

  it.each([
    ['read', 'GET', '/door', 'allowed'],
    ['read', 'PUT', '/door', 'method_not_covered'],
    ['read write', 'PUT', '/door', 'allowed'],
    ['read', 'GET', '/door/', 'resource_not_covered'],
    ['read', 'GET', '/doors', 'resource_not_covered'],
    ['read', 'GET', '/rooms/1/lamp', 'allowed'],
    ['read', 'GET', '/rooms', 'resource_not_covered'],
    ['read', 'GET', '/roomsandmore', 'resource_not_covered'],
    ['other', 'GET', '/door', 'resource_not_covered'],
    ['toString constructor', 'GET', '/door', 'resource_not_covered'],
  ] as const)('%s: %s %s is %s', (scope, method, path, verdict) => {
    expect(judge(permissions, scope, { method, path })).toBe(verdict);
  });

  it('say which scope would do', () => {
    expect(scopesFor(permissions, { method: 'PUT', path: '/door' })).toEqual(['write']);
    expect(scopesFor(permissions, { method: 'PUT', path: '/other' })).toEqual([]);
  });
});

describe('tokens', () => {
  function held(kid: string, change: Partial<HeldToken['claims']> = {}): HeldToken {
    const claims = {
      iss: 'i',
      sub: 's',
      aud: 'a',
      exp: 100,
      iat: 1,
      cti: new Uint8Array(1),
      scope: 'x',
      crd: 'c',
      acs: 'b',
    };
    return { claims: { ...claims, kid: Buffer.from(kid), ...change }, key: new Uint8Array(32), kids: [] };
  }
  const kidOf = (text: string): Uint8Array => Buffer.from(text);

  it('are one for each key: a later one takes the place, an earlier one and that of another do not', () => {
    const store = createTokenStore();
    expect(store.add(held('k', { iat: 5 }), 'a')).toBeUndefined();
    expect(store.add(held('k', { iat: 4 }), 'a')).toBe('older_token');
    expect(store.add(held('k', { iat: 9, sub: 'other' }), 'a')).toBe('key_of_another');
    expect(store.add(held('k', { iat: 6, scope: 'y' }), 'b')).toBeUndefined();
    expect([store.size, store.byKid(kidOf('k'))?.claims.scope]).toEqual([1, 'y']);
  });

  it('of one second have an order too: one that had to give way does not come back', () => {
    const store = createTokenStore();
    const cti = (text: string): Partial<HeldToken['claims']> => ({ iat: 5, cti: Buffer.from(text) });
    expect(store.add(held('k', cti('wide')), 'a')).toBeUndefined();
    expect(store.add(held('k', cti('wide')), 'a')).toBeUndefined();
    expect(store.add(held('k', cti('narrow')), 'a')).toBeUndefined();
    expect(store.add(held('k', cti('wide')), 'a')).toBe('older_token');
    expect(store.add(held('k', cti('narrow')), 'a')).toBeUndefined();
    for (let i = 0; i < 20; i++) store.add(held('k', cti(`more ${i}`)), 'a');
    expect(store.add(held('k', cti('one too many')), 'a')).toBe('older_token');
    expect(store.add(held('k', { iat: 6 }), 'a')).toBeUndefined();
  });

  it('that nobody has proved give way: the oldest of the same address, then of all; those that are proved stay', () => {
    const store = createTokenStore({ tokens: 10, unproven: 4, unprovenPerAddress: 2 });
    store.add(held('proved'), 'a');
    store.proved(kidOf('proved'));
    for (const kid of ['a1', 'a2', 'a3']) store.add(held(kid), 'a');
    expect([store.byKid(kidOf('a1')), store.byKid(kidOf('a3'))?.claims.sub]).toEqual([undefined, 's']);
    for (const [index, kid] of ['b1', 'c1', 'd1'].entries()) store.add(held(kid), `other ${index}`);
    expect(store.size).toBe(5);
    expect(store.byKid(kidOf('a2'))).toBeUndefined();
    expect(store.byKid(kidOf('proved'))).toBeDefined();
  });

  it('are no more than there is room for', () => {
    const store = createTokenStore({ tokens: 2, unproven: 2, unprovenPerAddress: 2 });
    for (const kid of ['1', '2']) {
      store.add(held(kid), 'a');
      store.proved(kidOf(kid));
    }
    expect(store.add(held('3'), 'a')).toBe('too_many_tokens');
    store.sweep(({ claims }) => Buffer.from(claims.kid).toString() === '1');
    expect(store.add(held('3'), 'a')).toBeUndefined();
  });
});

describe('derivation keys', () => {
  const popKid = (first: number): Uint8Array =>
    Buffer.from(Buffer.from([first, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]).toString('base64url'));
  const key = (first: number): DerivationKey => ({
    kid: `kid ${first}`,
    tag: Buffer.from([first, 0, 0, 0]).toString('base64url'),
    k: Buffer.alloc(32, first).toString('base64url'),
  });

  it('are asked for once, again for one that is not known after a while, and at times', async () => {
    let now = 1000;
    const list = [key(1)];
    let asked = 0;
    const source = { derivationKeys: () => Promise.resolve(((asked += 1), [...list])) };
    const keys = createDerivationKeys(source, 'coaps://lock.test', () => now);
    await keys.load();
    expect(await keys.find(popKid(1))).toMatchObject({ kid: 'kid 1' });
    list.push(key(2));
    expect(await keys.find(popKid(2))).toBe('unknown');
    expect(asked).toBe(1);
    now += 31;
    expect(await keys.find(popKid(2))).toMatchObject({ kid: 'kid 2' });
    list.shift();
    now += 301;
    await keys.find(popKid(2));
    await new Promise((resolve) => setImmediate(resolve));
    expect(await keys.find(popKid(1))).toBe('unknown');
    expect(asked).toBe(3);
  });

  it('cannot be said of what is no key id, and not while nobody answers', async () => {
    const keys = createDerivationKeys([key(1)], 'x', () => 0);
    for (const text of ['', '!!!!', 'AAA', 'AAAA='])
      expect(await keys.find(Buffer.from(text))).toBe('unknown');
    const silent = createDerivationKeys(
      { derivationKeys: () => Promise.reject(new Error('away')) },
      'x',
      () => 0,
    );
    expect(await silent.find(popKid(1))).toBe('unavailable');
  });
});
