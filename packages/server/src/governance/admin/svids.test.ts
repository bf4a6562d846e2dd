import { createPublicKey, X509Certificate } from 'node:crypto';
import { operations } from '@countersign/admin-api';
import { isJwtSvidSignedBy, parseJwkSet, parseJwtSvid } from '@countersign/protocol';
import { expect, test } from 'vitest';
import {
  accessBody,
  type Authority,
  identityBody,
  ISSUER,
  openAuthority,
  RESOURCE,
  START,
} from '../../../test/authority.ts';
import { clientKey } from '../../../test/client-assertion.ts';
import { clientAuthority } from '../../../test/client-authority.ts';
import { newRequest, TRUST_DOMAIN } from '../../../test/issuing.ts';
import type { ForeignBundle } from './svids.ts';

const DAY_MS = 86_400_000;
const inADay = (authority: Authority): string => new Date(authority.clock.now() + DAY_MS).toISOString();

/** Agent `host-7` and `host-8`, and `orders`, which is registered with the first. */
async function withWorkload(given: Parameters<typeof openAuthority>[0] = {}) {
  const authority = await openAuthority(given);
  for (const client_id of ['host-7', 'host-8']) {
    const body = identityBody(client_id, { client_id });
    await authority.call('POST', '/v1/identities', { body });
    await authority.call('POST', `/v1/identities/${client_id}/credentials`, {
      body: { type: 'client_secret' },
    });
    await authority.call('POST', '/v1/access', { body: accessBody(client_id, RESOURCE, ['svids:issue']) });
  }
  await authority.call('POST', '/v1/identities', { body: identityBody('orders', { client_id: 'orders' }) });
  const body = {
    agent: 'host-7',
    identity: 'orders',
    selectors: ['unix:uid:1000'],
    expires_at: inADay(authority),
  };
  const made = await authority.call('POST', '/v1/workloads', { body });
  expect(made.status, made.text).toBe(201);
  return { authority, workload: made.body as { id: string; spiffe_id: string } };
}

test('an agent is told of what is registered with it, and no other agent is', async () => {
  const { authority, workload } = await withWorkload();
  const served = await authority.call('GET', '/v1/svids', { token: await authority.tokenFor('host-7') });
  expect(operations['svids.served'].response.parse(served.body)).toEqual(served.body);
  expect(served.body.trust_domain).toBe(TRUST_DOMAIN);
  expect(served.body.workloads).toEqual([
    {
      id: workload.id,
      spiffe_id: 'spiffe://authority.test/service/orders',
      selectors: ['unix:uid:1000'],
      hint: '',
    },
  ]);
  const other = await authority.call('GET', '/v1/svids', { token: await authority.tokenFor('host-8') });
  expect(other.body.workloads).toEqual([]);
  // Who may ask for everything is no agent by that.
  expect((await authority.call('GET', '/v1/svids')).body.workloads).toEqual([]);
  await authority.close();
});

test('a JWT-SVID is signed by a key of its own, and is in the log before it leaves', async () => {
  const { authority, workload } = await withWorkload();
  const token = await authority.tokenFor('host-7');
  const { body: served } = await authority.call('GET', '/v1/svids', { token });
  const body = { workload: workload.id, audience: ['https://ledger.test'] };
  const made = await authority.call('POST', '/v1/svids/jwt', { token, body });
  expect(made.status, made.text).toBe(200);
  const svid = parseJwtSvid(made.body.svid);
  const keys = parseJwkSet(served.bundles[TRUST_DOMAIN].jwt);
  if (!svid.ok || !keys.ok) throw new Error('neither can be read');
  expect(isJwtSvidSignedBy(svid, keys.keys)).toBe(true);
  expect(svid.claims).toMatchObject({ iss: ISSUER, sub: workload.spiffe_id, aud: ['https://ledger.test'] });
  expect(svid.exp - (svid.iat ?? 0)).toBe(300);
  expect(authority.keystore.verificationKey(svid.kid)).toBeUndefined();
  const event = authority.log.events.find(({ type }) => type === 'svid.issued');
  expect(event).toMatchObject({ identity: 'orders', resource: workload.id, jti: svid.claims['jti'] });
  expect(event?.detail).toContain('"agent":"host-7"');
  await authority.close();
});

test('nothing leaves that the log does not take', async () => {
  const { authority, workload } = await withWorkload();
  const token = await authority.tokenFor('host-7');
  authority.log.fail(true);
  const body = { workload: workload.id, audience: ['a'] };
  const made = await authority.call('POST', '/v1/svids/jwt', { token, body });
  expect(made.status).toBe(503);
  expect(made.text).not.toContain('eyJ');
  await authority.close();
});

test.each([
  [
    'the identity is suspended',
    (a: Authority) => a.call('POST', '/v1/identities/orders/suspend', { body: { reason: 'x' } }),
  ],
  [
    'the identity is cut off',
    (a: Authority) =>
      a.call('POST', '/v1/cutoffs', { body: { kind: 'identity', id: 'orders', reason: 'x' } }),
  ],
  [
    'the identity is decommissioned',
    (a: Authority) =>
      a.call('POST', '/v1/identities/orders/decommission', { body: { reason: 'x', now: true, force: true } }),
  ],
  ['the workload has ended', async (a: Authority) => a.clock.advance(DAY_MS + 1)],
  [
    'the workload is removed',
    async (a: Authority) => {
      const { items } = (await a.call('GET', '/v1/workloads')).body as { items: { id: string }[] };
      await a.call('DELETE', `/v1/workloads/${items[0]?.id}`, { headers: { 'If-Match': '*' } });
    },
  ],
] as const)('there is nothing to be had when %s', async (_what, end) => {
  const { authority, workload } = await withWorkload();
  await end(authority);
  const token = await authority.tokenFor('host-7');
  expect((await authority.call('GET', '/v1/svids', { token })).body.workloads).toEqual([]);
  const body = { workload: workload.id, audience: ['a'] };
  expect((await authority.call('POST', '/v1/svids/jwt', { token, body })).status).toBe(404);
  await authority.close();
});

test('what is registered with another agent is not there for this one', async () => {
  const { authority, workload } = await withWorkload();
  const token = await authority.tokenFor('host-8');
  const body = { workload: workload.id, audience: ['a'] };
  expect((await authority.call('POST', '/v1/svids/jwt', { token, body })).status).toBe(404);
  await authority.close();
});

test.each([
  ['no selector', { selectors: [] }],
  ['a program alone', { selectors: ['unix:path:/usr/bin/node'] }],
  ['what a process calls itself', { selectors: ['unix:uid:1', 'unix:cmdline:orders'] }],
  ['a user by name', { selectors: ['unix:uid:root'] }],
  ['the same twice', { selectors: ['unix:uid:1', 'unix:uid:1'] }],
  ['no end', { expires_at: undefined }],
])('a workload with %s is refused', async (_what, change) => {
  const { authority } = await withWorkload();
  const body = {
    agent: 'host-7',
    identity: 'orders',
    selectors: ['unix:uid:5'],
    expires_at: inADay(authority),
  };
  expect((await authority.call('POST', '/v1/workloads', { body: { ...body, ...change } })).status).toBe(400);
  await authority.close();
});

test('a workload is changed and shown by its version, and is there once', async () => {
  const { authority, workload } = await withWorkload();
  const path = `/v1/workloads/${workload.id}`;
  const same = {
    agent: 'host-7',
    identity: 'orders',
    selectors: ['unix:uid:1000'],
    expires_at: inADay(authority),
  };
  expect((await authority.call('POST', '/v1/workloads', { body: same })).status).toBe(409);
  expect((await authority.call('PATCH', path, { body: { hint: 'main' } })).status).toBe(428);
  const patched = await authority.call('PATCH', path, {
    body: { hint: 'main' },
    headers: { 'If-Match': '"1"' },
  });
  expect(patched.body).toMatchObject({ hint: 'main', version: 2, agent: 'host-7', identity: 'orders' });
  expect((await authority.call('GET', path)).body).toEqual(patched.body);
  expect((await authority.call('GET', '/v1/workloads?agent=host-8')).body.items).toEqual([]);
  expect((await authority.call('GET', '/v1/workloads?identity=orders')).body.items).toEqual([patched.body]);
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

test('a dry run says whether there would be an SVID, and makes none', async () => {
  const { authority, workload } = await withWorkload();
  const token = await authority.tokenFor('host-7');
  const asked = { workload: workload.id, audience: ['a'] };
  const jwt = await authority.call('POST', '/v1/svids/jwt?dry_run=true', { token, body: asked });
  expect(jwt.body).toEqual({ dry_run: true, changes: [] });
  const body = { workload: workload.id, csr: newRequest() };
  const x509 = await authority.call('POST', '/v1/svids/x509?dry_run=true', { token, body });
  expect(x509.body.dry_run).toBe(true);
  expect(
    authority.log.events.some(({ type }) => type === 'svid.issued' || type === 'certificate.issued'),
  ).toBe(false);
  await authority.close();
});

test('an X.509-SVID is a certificate of the identity, recorded as the agent asked for it', async () => {
  const { authority, workload } = await withWorkload();
  const token = await authority.tokenFor('host-7');
  const body = { workload: workload.id, csr: newRequest() };
  const made = await authority.call('POST', '/v1/svids/x509', { token, body });
  expect(made.status, made.text).toBe(200);
  const leaf = new X509Certificate(Buffer.from(made.body.chain[0], 'base64'));
  expect(leaf.subjectAltName).toBe(`URI:${workload.spiffe_id}`);
  expect(Date.parse(leaf.validTo) - authority.clock.now()).toBeLessThanOrEqual(3_600_000);
  const { items } = (await authority.call('GET', '/v1/certificates?identity=orders')).body;
  expect(items).toMatchObject([{ issued_by: 'agent', spiffe_id: workload.spiffe_id }]);
  const other = await authority.tokenFor('host-8');
  expect((await authority.call('POST', '/v1/svids/x509', { token: other, body })).status).toBe(404);
  await authority.close();
});

test('SVIDs last as long as the settings say, and no longer than other certificates', async () => {
  const { authority, workload } = await withWorkload({ svidLifetimes: { x509: 20_000, jwt: 30 } });
  const token = await authority.tokenFor('host-7');
  const x509 = { workload: workload.id, csr: newRequest() };
  const made = await authority.call('POST', '/v1/svids/x509', { token, body: x509 });
  const lasts = Date.parse(made.body.expires_at) - authority.clock.now();
  // In whole seconds.
  expect(lasts).toBeGreaterThan(19_000);
  expect(lasts).toBeLessThanOrEqual(20_000);
  const body = { workload: workload.id, audience: ['a'] };
  const { svid } = (await authority.call('POST', '/v1/svids/jwt', { token, body })).body;
  const read = parseJwtSvid(svid);
  expect(read.ok && read.exp - (read.iat ?? 0)).toBe(30);
  await authority.close();
  const longer = await withWorkload({ svidLifetimes: { x509: 2 * DAY_MS, jwt: 30 } });
  const again = {
    token: await longer.authority.tokenFor('host-7'),
    body: { ...x509, workload: longer.workload.id },
  };
  const capped = await longer.authority.call('POST', '/v1/svids/x509', again);
  expect(capped.status, capped.text).toBe(200);
  expect(Date.parse(capped.body.expires_at) - longer.authority.clock.now()).toBeLessThanOrEqual(DAY_MS);
  await longer.authority.close();
});

test('an agent has the bundle of each declared trust domain apart, and the list of what was revoked', async () => {
  const { jwk, privateKey } = clientKey();
  const { der } = clientAuthority(START, 'foreign');
  const jwtKeys = [{ kid: 'f1', alg: 'ES256' as const, keyObject: createPublicKey(privateKey) }];
  const foreign: ForeignBundle = { jwtKeys, x509: { authorities: [{ der }] } };
  const foreignBundles = async () => new Map([['foreign.test', foreign]]);
  const { authority, workload } = await withWorkload({ foreignBundles });
  const token = await authority.tokenFor('host-7');
  const { body } = await authority.call('GET', '/v1/svids', { token });
  expect(operations['svids.served'].response.parse(body)).toEqual(body);
  expect(Object.keys(body.bundles)).toEqual([TRUST_DOMAIN, 'foreign.test']);
  expect(body.bundles['foreign.test']).toEqual({
    jwt: { keys: [{ ...jwk, kid: 'f1', alg: 'ES256' }] },
    x509: [Buffer.from(der).toString('base64')],
  });
  expect(body.crl).toHaveLength(1);
  const x509 = { workload: workload.id, csr: newRequest() };
  const made = await authority.call('POST', '/v1/svids/x509', { token, body: x509 });
  const serial = new X509Certificate(Buffer.from(made.body.chain[0], 'base64')).serialNumber;
  const hasIt = (lists: string[]) =>
    lists.some((list) => Buffer.from(list, 'base64').toString('hex').includes(serial.toLowerCase()));
  const again = (await authority.call('GET', '/v1/svids', { token })).body;
  expect(again.crl_content).toBe(body.crl_content);
  expect(hasIt(again.crl)).toBe(false);
  const { items } = (await authority.call('GET', '/v1/certificates?identity=orders')).body;
  const revoking = { body: { reason: 'test' } };
  const revoked = await authority.call('POST', `/v1/certificates/${items[0].id}/revoke`, revoking);
  expect(revoked.status, revoked.text).toBe(200);
  const after = (await authority.call('GET', '/v1/svids', { token })).body;
  expect(after.crl_content).not.toBe(body.crl_content);
  expect(hasIt(after.crl)).toBe(true);
  await authority.close();
});
