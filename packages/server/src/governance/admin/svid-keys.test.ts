import { X509Certificate } from 'node:crypto';
import { operations, type SigningKey } from '@countersign/admin-api';
import { parseJwtSvid } from '@countersign/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  accessBody,
  type Authority,
  identityBody,
  openAuthority,
  RESOURCE,
} from '../../../test/authority.ts';
import { newRequest, TRUST_DOMAIN } from '../../../test/issuing.ts';

const DAY_MS = 86_400_000;
let authority: Authority;
let workload: string;

beforeEach(async () => {
  authority = await openAuthority();
  for (const client_id of ['host-7', 'orders']) {
    await authority.call('POST', '/v1/identities', { body: identityBody(client_id, { client_id }) });
  }
  const body = { type: 'client_secret' };
  await authority.call('POST', '/v1/identities/host-7/credentials', { body });
  await authority.call('POST', '/v1/access', { body: accessBody('host-7', RESOURCE, ['svids:issue']) });
  const made = await authority.call('POST', '/v1/workloads', {
    body: {
      agent: 'host-7',
      identity: 'orders',
      selectors: ['unix:uid:1'],
      expires_at: new Date(authority.clock.now() + DAY_MS).toISOString(),
    },
  });
  workload = made.body.id;
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

async function keys(purpose: SigningKey['purpose']): Promise<readonly SigningKey[]> {
  const { body } = await authority.call('GET', '/v1/keys');
  const { items } = operations['keys.list'].response.parse(body);
  return items.filter((key) => key.purpose === purpose);
}

async function served(): Promise<{ kids: string[]; x509: string[]; issuers: string[] }> {
  const { body } = await authority.call('GET', '/v1/svids', { token: await authority.tokenFor('host-7') });
  const { jwt, x509 } = body.bundles[TRUST_DOMAIN];
  return { kids: jwt.keys.map(({ kid }: { kid: string }) => kid), x509, issuers: body.issuers };
}

async function kidOfNewSvid(): Promise<string> {
  const body = { workload, audience: ['a'] };
  const made = await authority.call('POST', '/v1/svids/jwt', {
    token: await authority.tokenFor('host-7'),
    body,
  });
  const read = parseJwtSvid(made.body.svid);
  return read.ok ? read.kid : '';
}

async function newChain(): Promise<string[]> {
  const body = { workload, csr: newRequest() };
  const made = await authority.call('POST', '/v1/svids/x509', {
    token: await authority.tokenFor('host-7'),
    body,
  });
  expect(made.status, made.text).toBe(200);
  return made.body.chain;
}

const cutOff = (id: string) =>
  authority.call('POST', '/v1/cutoffs', { body: { kind: 'key', id, reason: 'found on a laptop' } });

test('the list has the keys of JWT-SVIDs, and says what each key signs', async () => {
  const [tokens, svids] = [await keys('tokens'), await keys('jwt_svids')];
  expect(tokens.map(({ state }) => state).sort()).toEqual(['active', 'next']);
  expect(svids.map(({ state }) => state).sort()).toEqual(['active', 'next']);
  expect(svids.map(({ kid }) => kid)).toContain(await kidOfNewSvid());
  expect(new Set([...tokens, ...svids].map(({ kid }) => kid)).size).toBe(4);
});

test('one that was cut off signs nothing more, and has left the bundle with the answer', async () => {
  const before = await kidOfNewSvid();
  const own = await authority.call('GET', '/v1/keys');
  const answer = await cutOff(before);
  expect(answer.status, answer.text).toBe(201);
  const { kids } = await served();
  expect(kids).not.toContain(before);
  const after = await kidOfNewSvid();
  expect(after).not.toBe(before);
  expect(kids).toContain(after);
  expect((await keys('jwt_svids')).find(({ kid }) => kid === before)?.state).toBe('compromised');
  // Keys of tokens have nothing to do with it.
  const items: SigningKey[] = own.body.items;
  expect(await keys('tokens')).toEqual(items.filter(({ purpose }) => purpose === 'tokens'));
  expect((await cutOff(before)).status).toBe(201);
});

test('the next one takes over by an order, once it was published for long enough', async () => {
  const before = await kidOfNewSvid();
  const body = { purpose: 'jwt_svids' };
  expect((await authority.call('POST', '/v1/keys/rotate', { body })).status).toBe(409);
  authority.clock.advance(DAY_MS - 1000);
  authority.clock.advance(1000);
  const tokensBefore = await keys('tokens');
  expect((await authority.call('POST', '/v1/keys/rotate', { body })).status).toBe(200);
  expect((await keys('jwt_svids')).find(({ kid }) => kid === before)?.state).toBe('retiring');
  expect(await keys('tokens')).toEqual(tokensBefore);
  expect((await served()).kids).toContain(before);
});

test('an algorithm that no key of JWT-SVIDs has is refused', async () => {
  const body = { purpose: 'jwt_svids', alg: 'RS256' };
  expect((await authority.call('POST', '/v1/keys/rotate', { body })).status).toBe(422);
});

test('an issuing authority that was cut off issues nothing more, and is named to no agent; the root stays', async () => {
  const before = await served();
  const issuer = authority.deps.issuing.ca.issuer();
  const [, chained] = await newChain();
  expect(before.issuers).toEqual([chained]);
  expect((await cutOff(issuer?.id ?? '')).status).toBe(201);
  const after = await served();
  expect(after.x509).toEqual(before.x509);
  expect(after.issuers).not.toContain(chained);
  const [, next] = await newChain();
  expect(after.issuers).toEqual([next]);
});

test('with a root go those below it; another one takes its place', async () => {
  const before = await served();
  const listed = await authority.call('GET', '/v1/certificate-authorities');
  const root = listed.body.items.find(({ role }: { role: string }) => role === 'root');
  expect((await cutOff(root.id)).status).toBe(201);
  const after = await served();
  expect(after.x509).toHaveLength(1);
  expect(after.x509).not.toEqual(before.x509);
  expect(after.issuers).toHaveLength(1);
  expect(after.issuers).not.toEqual(before.issuers);
  const [, issuer] = (await newChain()).map((der) => new X509Certificate(Buffer.from(der, 'base64')));
  const made = new X509Certificate(Buffer.from(after.x509[0] ?? '', 'base64'));
  expect(issuer?.verify(made.publicKey)).toBe(true);
});

test('a key that there is not is refused', async () => {
  expect((await cutOff('key_none')).status).toBe(422);
  expect((await cutOff('cau_none')).status).toBe(422);
});
