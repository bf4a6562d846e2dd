import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  createJwksCache,
  JWKS_COOLDOWN_MS,
  JWKS_FRESH_MS,
  JWKS_KEPT,
  JWKS_MAX_KEYS,
  JWKS_STALE_MS,
  type JwksSource,
  pickByHeader,
} from './jwks-cache.ts';
import { OutboundRefusal } from './outbound-refusal.ts';
import type { SafeFetch } from './safe-fetch.ts';

const NOW = 1_800_000_000_000;
const URL_OF_SET = 'https://issuer.example/jwks';
const SOURCE: JwksSource = { kind: 'jwks', url: URL_OF_SET };

function jwk(kid: string | undefined): object {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...publicKey.export({ format: 'jwk' }), ...(kid === undefined ? undefined : { kid }) };
}

/** What is published, by URL; a reason in place of a document is a publisher that cannot be used. */
function publisher(documents: { [url: string]: object | OutboundRefusal }) {
  const asked: string[] = [];
  const fetch: SafeFetch = async (url) => {
    asked.push(url);
    const document = documents[url];
    await new Promise((done) => setImmediate(done));
    if (document === undefined) throw new OutboundRefusal('status_not_ok', 'issuer.example');
    if (document instanceof OutboundRefusal) throw document;
    return Buffer.from(JSON.stringify(document));
  };
  return { fetch, asked, documents };
}

const kid = (name: string) => pickByHeader({ kid: name, alg: 'ES256' });
const reasonOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'found',
    (error: unknown) => (error as OutboundRefusal).reason,
  );

describe('keys of others', () => {
  it('requests for one set share one fetch, and then none is needed for a while', async () => {
    const published = publisher({ [URL_OF_SET]: { keys: [jwk('a')] } });
    const cache = createJwksCache(published.fetch);
    const found = await Promise.all(Array.from({ length: 200 }, () => cache.find(SOURCE, kid('a'), NOW)));
    expect(found.every((key) => key?.kid === 'a')).toBe(true);
    await cache.find(SOURCE, kid('a'), NOW + JWKS_FRESH_MS - 1);
    expect(published.asked).toHaveLength(1);
  });

  it('a flood of unknown key names asks the publisher once in thirty seconds', async () => {
    const published = publisher({ [URL_OF_SET]: { keys: [jwk('a')] } });
    const cache = createJwksCache(published.fetch);
    for (let i = 0; i < 60; i++) {
      expect(await cache.find(SOURCE, kid(`unknown-${i}`), NOW + i * 1000)).toBeUndefined();
    }
    expect(published.asked).toHaveLength(2);
  });

  it('a new key is found at once, when the set was not asked for within the cooldown', async () => {
    const published = publisher({ [URL_OF_SET]: { keys: [jwk('a')] } });
    const cache = createJwksCache(published.fetch);
    await cache.find(SOURCE, kid('a'), NOW);
    published.documents[URL_OF_SET] = { keys: [jwk('b')] };
    expect(await cache.find(SOURCE, kid('b'), NOW + JWKS_COOLDOWN_MS - 1)).toBeUndefined();
    expect((await cache.find(SOURCE, kid('b'), NOW + JWKS_COOLDOWN_MS))?.kid).toBe('b');
  });

  it('a key that is gone from its set stops working within five minutes', async () => {
    const published = publisher({ [URL_OF_SET]: { keys: [jwk('a')] } });
    const cache = createJwksCache(published.fetch);
    await cache.find(SOURCE, kid('a'), NOW);
    published.documents[URL_OF_SET] = { keys: [jwk('b')] };
    expect(JWKS_FRESH_MS).toBe(300_000);
    expect(await cache.find(SOURCE, kid('a'), NOW + JWKS_FRESH_MS)).toBeUndefined();
  });

  it('while the publisher is away, old keys serve for an hour from when they came, and no longer', async () => {
    const published = publisher({ [URL_OF_SET]: { keys: [jwk('a')] } });
    const cache = createJwksCache(published.fetch);
    await cache.find(SOURCE, kid('a'), NOW);
    published.documents[URL_OF_SET] = new OutboundRefusal('timed_out', 'issuer.example');
    expect((await cache.find(SOURCE, kid('a'), NOW + JWKS_STALE_MS - 1))?.kid).toBe('a');
    expect(await reasonOf(cache.find(SOURCE, kid('a'), NOW + JWKS_STALE_MS))).toBe('timed_out');
  });

  it('a publisher that fails is left alone for thirty seconds', async () => {
    const published = publisher({});
    const cache = createJwksCache(published.fetch);
    for (let i = 0; i < 30; i++) {
      expect(await reasonOf(cache.find(SOURCE, kid('a'), NOW + i * 1000))).toBe('status_not_ok');
    }
    expect(published.asked).toHaveLength(1);
    published.documents[URL_OF_SET] = { keys: [jwk('a')] };
    expect((await cache.find(SOURCE, kid('a'), NOW + JWKS_COOLDOWN_MS))?.kid).toBe('a');
  });

  it('a set that was not asked for, because everybody was asked at once, is asked for at the next request', async () => {
    const published = publisher({ [URL_OF_SET]: new OutboundRefusal('too_busy', 'issuer.example') });
    const cache = createJwksCache(published.fetch);
    expect(await reasonOf(cache.find(SOURCE, kid('a'), NOW))).toBe('too_busy');
    published.documents[URL_OF_SET] = { keys: [jwk('a')] };
    expect((await cache.find(SOURCE, kid('a'), NOW + 1))?.kid).toBe('a');
  });

  it('a request that began before the last fetch, and waited, does not ask again', async () => {
    const published = publisher({ [URL_OF_SET]: { keys: [jwk('a')] } });
    const cache = createJwksCache(published.fetch);
    await cache.find(SOURCE, kid('a'), NOW);
    expect(await cache.find(SOURCE, kid('unknown'), NOW - 5000)).toBeUndefined();
    expect(published.asked).toHaveLength(1);
  });

  it('a clock that is set back brings no old key to life', async () => {
    const published = publisher({ [URL_OF_SET]: { keys: [jwk('a')] } });
    const cache = createJwksCache(published.fetch);
    await cache.find(SOURCE, kid('a'), NOW);
    published.documents[URL_OF_SET] = { keys: [jwk('b')] };
    expect(await cache.find(SOURCE, kid('a'), NOW - 3_600_000)).toBeUndefined();
  });

  it(`a set of more than ${JWKS_MAX_KEYS} keys, or what is none, is refused`, async () => {
    const one = jwk(undefined);
    const many = Array.from({ length: JWKS_MAX_KEYS + 1 }, (_, i) => ({ ...one, kid: `k${i}` }));
    for (const document of [{ keys: many }, { keys: 'none' }, {}]) {
      const cache = createJwksCache(publisher({ [URL_OF_SET]: document }).fetch);
      expect(await reasonOf(cache.find(SOURCE, kid('k1'), NOW))).toBe('not_a_key_set');
    }
  });

  it.each([
    ['as many sets', 1, { sets: 20, keys: 1000 }],
    ['as many keys in all of them', 5, { sets: 1000, keys: 100 }],
  ])('those that were used last are kept: %s as there is room for', async (_, keysOfEach, most) => {
    const keys = Array.from({ length: keysOfEach }, (_, at) => jwk(`k${at}`));
    const urls = Array.from({ length: 21 }, (_, at) => `${URL_OF_SET}/${at}`);
    const published = publisher(Object.fromEntries(urls.map((url) => [url, { keys }])));
    const cache = createJwksCache(published.fetch, undefined, most);
    const ask = (at: number) => cache.find({ kind: 'jwks', url: urls[at] as string }, kid('k0'), NOW);
    for (const at of urls.keys()) await ask(at);
    await ask(1);
    expect(published.asked).toHaveLength(urls.length);
    await ask(0);
    expect(published.asked).toHaveLength(urls.length + 1);
  });

  it('ten thousand clients that publish their keys have room', () => {
    expect(JWKS_KEPT).toEqual({ sets: 10_000, keys: 20_000 });
  });

  it('without a key name the only key for the algorithm is taken, and of two none', async () => {
    const one = createJwksCache(publisher({ [URL_OF_SET]: { keys: [jwk('a')] } }).fetch);
    expect((await one.find(SOURCE, pickByHeader({ alg: 'ES256' }), NOW))?.kid).toBe('a');
    const two = createJwksCache(publisher({ [URL_OF_SET]: { keys: [jwk('a'), jwk('b')] } }).fetch);
    expect(await two.find(SOURCE, pickByHeader({ alg: 'ES256' }), NOW)).toBeUndefined();
  });

  it('two keys of one name are both passed over', async () => {
    const cache = createJwksCache(publisher({ [URL_OF_SET]: { keys: [jwk('a'), jwk('a')] } }).fetch);
    expect(await cache.find(SOURCE, kid('a'), NOW)).toBeUndefined();
  });
});

describe('discovery', () => {
  const ISSUER = 'https://issuer.example/tenant';
  const METADATA = `${ISSUER}/.well-known/openid-configuration`;
  const discovery: JwksSource = { kind: 'discovery', url: ISSUER };

  it('the set is where the metadata of the issuer say', async () => {
    const { fetch } = publisher({
      [METADATA]: { issuer: ISSUER, jwks_uri: URL_OF_SET },
      [URL_OF_SET]: { keys: [jwk('a')] },
    });
    expect((await createJwksCache(fetch).find(discovery, kid('a'), NOW))?.kid).toBe('a');
  });

  it('metadata that call their issuer otherwise, to the character, are refused', async () => {
    for (const issuer of [`${ISSUER}/`, ISSUER.toUpperCase(), 'https://issuer.example', undefined]) {
      const { fetch, asked } = publisher({ [METADATA]: { issuer, jwks_uri: URL_OF_SET } });
      expect(await reasonOf(createJwksCache(fetch).find(discovery, kid('a'), NOW))).toBe('issuer_mismatch');
      expect(asked).toEqual([METADATA]);
    }
  });

  it('metadata without a set are refused', async () => {
    const { fetch } = publisher({ [METADATA]: { issuer: ISSUER } });
    expect(await reasonOf(createJwksCache(fetch).find(discovery, kid('a'), NOW))).toBe('not_a_key_set');
  });

  it('the slowest of the last hundred fetches is known, whether they came to anything or not', async () => {
    let passed = 0;
    const took = [40, 300, 20];
    const cache = createJwksCache(
      async () => {
        passed += took.shift() ?? 10;
        throw new OutboundRefusal('timed_out', 'issuer.example');
      },
      () => passed,
    );
    expect(cache.slowestMs).toBe(0);
    const fetchOnce = (at: number) => reasonOf(cache.find(SOURCE, kid('a'), NOW + at * JWKS_COOLDOWN_MS));
    await fetchOnce(0);
    expect(cache.slowestMs).toBe(40);
    await fetchOnce(1);
    // One that was not made is none.
    await fetchOnce(1);
    await fetchOnce(2);
    expect(cache.slowestMs).toBe(300);
    for (let at = 3; at < 102; at++) await fetchOnce(at);
    expect(cache.slowestMs).toBe(20);
  });
});
