import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ClientAuthority, clientAuthority, element } from '../../../test/client-authority.ts';
import { parseTrustDomain, type TrustDomain } from '@countersign/protocol';
import { basicConstraints, extendedKeyUsage, keyUsage } from '../../http/certificate.ts';
import { parseOutboundAllow } from '../../outbound/address.ts';
import { createSafeFetch } from '../../outbound/safe-fetch.ts';
import { freshId, T0 } from '../../storage/contract/records.ts';
import type { FetchedBundle, TrustDomainRecord } from '../../storage/trust-domains.ts';
import { type Certificate, parseCertificate } from '../../x509/certificate.ts';
import {
  BUNDLE_COOLDOWN_MS,
  BUNDLE_REFRESH,
  BUNDLE_STALE_MS,
  createBundleEndpoints,
} from './bundle-endpoints.ts';

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const SPIRE = 'spiffe://foreign.test/spire/server';
const started = Date.now();

let now = T0;
let answer: string;
let requests = 0;
let shown: { cert: string; key: string };
let port: number;
let kept: Map<string, FetchedBundle>;
let theirs: ClientAuthority;
const closing: (() => void)[] = [];

/** A certificate by this authority in which these stand as URIs. */
function svidBy(authority: ClientAuthority, ...uris: readonly string[]): { cert: string; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const names = element(0x30, ...uris.map((uri) => element(0x86, Buffer.from(uri))));
  const alternative = element(0x30, element(0x06, Buffer.from('551d11', 'hex')), element(0x04, names));
  const extensions = [basicConstraints(false), keyUsage(0), extendedKeyUsage(SERVER_AUTH), alternative];
  const { pem } = authority.issue({ publicKey, extensions });
  return { cert: pem, key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString() };
}

const bundleOf = (sequence: number, ...authorities: readonly ClientAuthority[]): string =>
  JSON.stringify({
    spiffe_sequence: sequence,
    keys: authorities.map(({ der }) => ({
      kty: 'EC',
      use: 'x509-svid',
      x5c: [Buffer.from(der).toString('base64')],
    })),
  });

beforeEach(async () => {
  now = T0;
  requests = 0;
  kept = new Map();
  theirs = clientAuthority(started, 'theirs');
  shown = svidBy(theirs, SPIRE);
  answer = bundleOf(2, theirs);
  const server = createServer(shown, (_, response) => {
    requests++;
    response.setHeader('content-type', 'application/json').end(answer);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closing.push(() => (server.close(), server.closeAllConnections()));
  ({ port } = server.address() as AddressInfo);
  present = (svid) => server.setSecureContext(svid);
});
let present: (svid: { cert: string; key: string }) => void;
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

function declared(more: Partial<TrustDomainRecord> = {}): TrustDomainRecord {
  return {
    id: freshId('tdm'),
    trustDomain: parseTrustDomain('foreign.test') as TrustDomain,
    name: undefined,
    bundle: bundleOf(1, theirs),
    bundleEndpoint: `https://127.0.0.1:${port}/`,
    endpointSpiffeId: SPIRE,
    state: 'active',
    createdAt: T0,
    updatedAt: T0,
    version: 1,
    ...more,
  };
}

/** A process of its own, over what all of them keep. */
function opened(authoritiesOf: (name: TrustDomain) => readonly Certificate[] = () => []) {
  const allowed = parseOutboundAllow(['127.0.0.1']);
  if (!allowed.ok) throw new Error(allowed.entry);
  const endpoints = createBundleEndpoints({
    store: {
      fetchedBundle: async (id) => kept.get(id),
      keepFetchedBundle: async (id, fetched) => void kept.set(id, fetched),
    },
    authoritiesOf: async (name) => authoritiesOf(name),
    fetch: createSafeFetch({ allow: allowed.allow, plainLoopback: true }),
    clock: { now: () => now },
  });
  /** The subjects of the authorities that count; undefined where nothing is known. */
  return async (record: TrustDomainRecord): Promise<readonly string[] | undefined> => {
    const keys = await endpoints.keysOf(record, true);
    return keys?.x509.authorities.map(({ subject }) => subject.attributes.map(({ text }) => text).join());
  };
}

const certificateOf = ({ der }: ClientAuthority): Certificate => {
  const read = parseCertificate(der);
  if (!read.ok) throw new Error(read.fault);
  return read.certificate;
};

test('an endpoint that answers as the SPIFFE ID that is declared is believed by the bundle that is given', async () => {
  answer = bundleOf(2, theirs, clientAuthority(started, 'their next'));
  expect(await opened()(declared())).toEqual(['theirs', 'their next']);
});

describe('nothing is taken of an endpoint', () => {
  test.each([
    ['with the SPIFFE ID of somebody else', () => svidBy(theirs, 'spiffe://foreign.test/spire/agent')],
    ['with two of them', () => svidBy(theirs, SPIRE, 'spiffe://foreign.test/other')],
    ['with none', () => svidBy(theirs)],
    ['by an authority that is not in the bundle', () => svidBy(clientAuthority(started, 'theirs'), SPIRE)],
  ])('%s', async (_what, svid) => {
    present(svid());
    expect(await opened()(declared())).toBeUndefined();
    expect(requests).toBe(0);
  });

  test('where the bundle that is given has no authority: those of the platform are not asked', async () => {
    expect(await opened()(declared({ bundle: bundleOf(1) }))).toBeUndefined();
    expect(requests).toBe(0);
  });

  test('that proves nothing, on loopback without TLS', async () => {
    const bundleEndpoint = `http://127.0.0.1:${port}/`;
    expect(await opened()(declared({ bundleEndpoint }))).toBeUndefined();
    expect(requests).toBe(0);
  });
});

test('it is believed by what it answered last, once its authority has changed', async () => {
  const next = clientAuthority(started, 'their next');
  answer = bundleOf(2, theirs, next);
  const subjects = opened();
  const record = declared();
  await subjects(record);
  present(svidBy(next, SPIRE));
  answer = bundleOf(3, next);
  now += BUNDLE_REFRESH * 1000;
  await subjects(record);
  await expect.poll(() => subjects(record)).toEqual(['their next']);
});

test('a start goes on from what was answered before it, not from what was given', async () => {
  const next = clientAuthority(started, 'their next');
  answer = bundleOf(2, theirs, next);
  const record = declared();
  await opened()(record);
  present(svidBy(next, SPIRE));
  answer = bundleOf(3, next);
  now += BUNDLE_STALE_MS;
  const subjects = opened();
  await expect.poll(() => subjects(record)).toEqual(['their next']);
});

test('a start while the endpoint does not answer knows what was known', async () => {
  const record = declared();
  await opened()(record);
  present(svidBy(clientAuthority(started, 'a thief'), SPIRE));
  now += BUNDLE_STALE_MS - 1;
  expect(await opened()(record)).toEqual(['theirs']);
  now += 1;
  expect(await opened()(record)).toBeUndefined();
});

test('an older bundle does not take the place of one that was kept', async () => {
  const record = declared();
  await opened()(record);
  answer = bundleOf(1, clientAuthority(started, 'their last'), theirs);
  now += BUNDLE_REFRESH * 1000;
  const subjects = opened();
  await subjects(record);
  await expect.poll(() => requests).toBe(2);
  expect(await subjects(record)).toEqual(['theirs']);
});

test('what was answered to another declaration counts for nothing', async () => {
  const record = declared();
  await opened()(record);
  const thief = clientAuthority(started, 'a thief');
  expect(await opened()({ ...record, bundle: bundleOf(1, thief) })).toBeUndefined();
});

test('an endpoint of another trust domain is believed by the authorities of that one', async () => {
  const keeper = clientAuthority(started, 'keeper');
  present(svidBy(keeper, 'spiffe://keeper.test/bundles'));
  const record = declared({ bundle: undefined, endpointSpiffeId: 'spiffe://keeper.test/bundles' });
  const asked: string[] = [];
  const subjects = opened((name) => {
    asked.push(name);
    return [certificateOf(keeper)];
  });
  expect(await subjects(record)).toEqual(['theirs']);
  expect(asked).toEqual(['keeper.test']);
  expect(
    await opened(() => [certificateOf(theirs)])(declared({ ...record, id: freshId('tdm') })),
  ).toBeUndefined();
});

test('what another node fetched is taken over where the endpoint is no longer believed by what is known here', async () => {
  const record = declared();
  const here = opened();
  await here(record);
  const next = clientAuthority(started, 'their next');
  answer = bundleOf(2, theirs, next);
  now += BUNDLE_REFRESH * 1000;
  await opened()(record);
  await expect.poll(() => kept.get(record.id)?.bundle).toBe(answer);
  present(svidBy(next, SPIRE));
  answer = bundleOf(3, next);
  now += BUNDLE_REFRESH * 1000 + BUNDLE_COOLDOWN_MS;
  await here(record);
  await expect.poll(() => here(record)).toEqual(['their next']);
});

test('what a node kept whose clock is ahead is asked for again as soon as any other', async () => {
  const record = declared();
  await opened()(record);
  const known = kept.get(record.id) as FetchedBundle;
  kept.set(record.id, { ...known, fetchedAt: now + BUNDLE_STALE_MS });
  const next = clientAuthority(started, 'their next');
  answer = bundleOf(3, theirs, next);
  const subjects = opened();
  expect(await subjects(record)).toEqual(['theirs']);
  now += BUNDLE_REFRESH * 1000;
  await subjects(record);
  await expect.poll(() => subjects(record)).toEqual(['theirs', 'their next']);
});
