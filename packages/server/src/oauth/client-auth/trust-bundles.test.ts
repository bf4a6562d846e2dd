import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseTrustDomain, type TrustDomain } from '@countersign/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { clientKey } from '../../../test/client-assertion.ts';
import { TRUST_DOMAIN } from '../../../test/issuing.ts';
import { parseOutboundAllow } from '../../outbound/address.ts';
import { createSafeFetch, FETCH_MAX_BYTES, type SafeFetchDeps } from '../../outbound/safe-fetch.ts';
import { freshId, T0 } from '../../storage/contract/records.ts';
import type { TrustDomainRecord } from '../../storage/trust-domains.ts';
import {
  BUNDLE_COOLDOWN_MS,
  BUNDLE_REFRESH,
  BUNDLE_REFRESH_LEAST,
  BUNDLE_REFRESH_MOST,
  BUNDLE_STALE_MS,
} from './bundle-endpoints.ts';
import { createTrustBundles, type TrustBundles } from './trust-bundles.ts';

const DOMAIN = parseTrustDomain('foreign.test') as TrustDomain;
const { jwk } = clientKey();
const bundleOf = (kid: string, more: object = {}): string =>
  JSON.stringify({ keys: [{ ...jwk, use: 'jwt-svid', kid }], ...more });

let now = T0;
let requests = 0;
let answer: RequestListener;
let port: number;
const closing: (() => void)[] = [];

beforeEach(async () => {
  now = T0;
  requests = 0;
  const server = createServer((request, response) => {
    requests++;
    answer(request, response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closing.push(() => (server.close(), server.closeAllConnections()));
  ({ port } = server.address() as AddressInfo);
});
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const json =
  (body: string, type = 'application/json'): RequestListener =>
  (_, response) =>
    void response.setHeader('content-type', type).end(body);

/** One declared trust domain whose endpoint is the server of this test, and what is known of it. */
function open(url = `http://127.0.0.1:${port}/bundle`, fetching: Partial<SafeFetchDeps> = {}): TrustBundles {
  const allowed = parseOutboundAllow(['127.0.0.1']);
  if (!allowed.ok) throw new Error(allowed.entry);
  const record: TrustDomainRecord = {
    id: freshId('tdm'),
    trustDomain: DOMAIN,
    name: undefined,
    bundle: undefined,
    bundleEndpoint: url,
    endpointSpiffeId: undefined,
    state: 'active',
    createdAt: T0,
    updatedAt: T0,
    version: 1,
  };
  return createTrustBundles({
    trustDomain: TRUST_DOMAIN,
    jwks: () => ({ keys: [] }),
    trust: () => ({ authorities: [], revocation: undefined }),
    trustDomains: {
      byTrustDomain: async (name) => (name === DOMAIN ? record : undefined),
      list: async () => ({ items: [record], next: undefined }),
      fetchedBundle: async () => undefined,
      keepFetchedBundle: async () => undefined,
    },
    fetch: createSafeFetch({ allow: allowed.allow, plainLoopback: true, ...fetching }),
    clock: { now: () => now },
  });
}

async function kidsOf(bundles: TrustBundles): Promise<readonly (string | undefined)[] | undefined> {
  return (await bundles.of(DOMAIN))?.jwtKeys.map(({ kid }) => kid);
}

/** As `kidsOf`, once what was begun behind the answer has ended. */
async function settledKidsOf(bundles: TrustBundles): Promise<readonly (string | undefined)[] | undefined> {
  const before = requests;
  await bundles.of(DOMAIN);
  for (let tries = 0; requests === before && tries < 40; tries++) await pause();
  for (let tries = 0; tries < 5; tries++) await pause();
  return await kidsOf(bundles);
}
const pause = (): Promise<void> => new Promise((done) => setTimeout(done, 10));

test('a bundle is fetched once, and again after the time that it names', async () => {
  answer = json(bundleOf('a', { spiffe_refresh_hint: 60 }));
  const bundles = open();
  expect(await kidsOf(bundles)).toEqual(['a']);
  now += 59_000;
  expect(await kidsOf(bundles)).toEqual(['a']);
  expect(requests).toBe(1);
  answer = json(bundleOf('b'));
  now += 1000;
  expect(await settledKidsOf(bundles)).toEqual(['b']);
  expect(requests).toBe(2);
});

test.each([
  ['that says nothing', undefined, BUNDLE_REFRESH],
  ['that wants every second', 1, BUNDLE_REFRESH_LEAST],
  ['that wants once a year', 31_536_000, BUNDLE_REFRESH_MOST],
])('a bundle %s is asked for again within bounds', async (_what, hint, seconds) => {
  answer = json(bundleOf('a', hint === undefined ? {} : { spiffe_refresh_hint: hint }));
  const bundles = open();
  await kidsOf(bundles);
  now += seconds * 1000 - 1;
  await settledKidsOf(bundles);
  expect(requests).toBe(1);
  now += 1;
  await settledKidsOf(bundles);
  expect(requests).toBe(2);
});

describe('a number', () => {
  async function second(first: object, then: object): Promise<readonly (string | undefined)[] | undefined> {
    answer = json(bundleOf('a', first));
    const bundles = open();
    await kidsOf(bundles);
    now += BUNDLE_REFRESH * 1000;
    answer = json(bundleOf('b', then));
    return await settledKidsOf(bundles);
  }

  test('that went back: the newer bundle stays', async () => {
    expect(await second({ spiffe_sequence: 5 }, { spiffe_sequence: 4 })).toEqual(['a']);
  });
  test('that stayed or rose: the last bundle counts', async () => {
    expect(await second({ spiffe_sequence: 5 }, { spiffe_sequence: 5 })).toEqual(['b']);
    expect(await second({ spiffe_sequence: 5 }, { spiffe_sequence: 6 })).toEqual(['b']);
  });
  // SPIFFE_Federation.md section 4.2
  test('that is missing: the last bundle counts', async () => {
    expect(await second({ spiffe_sequence: 5 }, {})).toEqual(['b']);
    expect(await second({}, {})).toEqual(['b']);
  });
});

test('while its endpoint does not answer the last bundle counts for a day, and no longer', async () => {
  answer = json(bundleOf('a'));
  const bundles = open();
  await kidsOf(bundles);
  answer = (_, response) => void response.writeHead(503).end();
  now += BUNDLE_STALE_MS - 1;
  expect(await settledKidsOf(bundles)).toEqual(['a']);
  now += 1;
  expect(await settledKidsOf(bundles)).toBeUndefined();
});

test('what cannot be had is not asked for by every caller', async () => {
  answer = (_, response) => void response.writeHead(500).end();
  const bundles = open();
  await Promise.all([kidsOf(bundles), kidsOf(bundles), kidsOf(bundles)]);
  now += BUNDLE_COOLDOWN_MS - 1;
  expect(await kidsOf(bundles)).toBeUndefined();
  expect(requests).toBe(1);
  now += 1;
  answer = json(bundleOf('a'));
  expect(await kidsOf(bundles)).toEqual(['a']);
});

test.each<[string, RequestListener]>([
  ['that is too long', json(`${bundleOf('a')}${' '.repeat(FETCH_MAX_BYTES)}`)],
  ['that is somewhere else', (_, response) => void response.writeHead(302, { location: '/other' }).end()],
  ['that is a page', json(bundleOf('a'), 'text/html')],
  ['that is compressed', (_, response) => void response.setHeader('content-encoding', 'gzip').end('x')],
  ['that is no bundle', json('{"keys":{}}')],
  ['that breaks off', (_, response) => (response.write('{"keys":['), response.destroy())],
])('an answer %s is none, and is fetched once', async (_what, listener) => {
  answer = listener;
  const bundles = open();
  expect(await kidsOf(bundles)).toBeUndefined();
  expect(requests).toBe(1);
});

test.each([
  ['an address that is not allowed', 'http://127.0.0.2:PORT/bundle'],
  ['metadata of a cloud', 'http://169.254.169.254/latest'],
  ['another scheme', 'file:///etc/passwd'],
])('nothing is asked at %s', async (_what, url) => {
  answer = json(bundleOf('a'));
  expect(await kidsOf(open(url.replace('PORT', String(port))))).toBeUndefined();
  expect(requests).toBe(0);
});

test('a public name that leads to an address that is not is not followed there', async () => {
  answer = json(bundleOf('a'));
  const allowed = parseOutboundAllow([]);
  if (!allowed.ok) throw new Error(allowed.entry);
  const inward = { allow: allowed.allow, resolve: async () => ['127.0.0.1'] };
  expect(await kidsOf(open(`http://bundle.example:${port}/`, inward))).toBeUndefined();
  expect(requests).toBe(0);
});

test('whoever wants all of them waits for no endpoint, and has it the next time', async () => {
  answer = json(bundleOf('a'));
  const bundles = open();
  expect([...(await bundles.declared()).keys()]).toEqual([]);
  await pause();
  await settledKidsOf(bundles);
  const known = await bundles.declared();
  expect([...known.keys()]).toEqual([DOMAIN]);
  expect(known.get(DOMAIN)?.jwtKeys.map(({ kid }) => kid)).toEqual(['a']);
  expect(requests).toBe(1);
});

test('of a trust domain that is not declared nothing is known', async () => {
  expect(await open().of(parseTrustDomain('other.test') as TrustDomain)).toBeUndefined();
  expect(requests).toBe(0);
});
