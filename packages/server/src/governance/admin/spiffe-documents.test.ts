import type { DocumentInput } from '@countersign/admin-api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  accessBody,
  type Authority,
  identityBody,
  openAuthority,
  RESOURCE,
  START,
} from '../../../test/authority.ts';
import { clientKey } from '../../../test/client-assertion.ts';

const DAY = 86_400_000;
const END = new Date(START + 20 * DAY).toISOString();
const head = { apiVersion: 'countersign/v1' } as const;
const bundle = { keys: [{ ...clientKey().jwk, use: 'jwt-svid', kid: 'a' }], spiffe_sequence: 1 };

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
  for (const client_id of ['host-7', 'orders']) {
    await authority.call('POST', '/v1/identities', { body: identityBody(client_id, { client_id }) });
  }
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

function workload(spec: object = {}, name = 'orders on host-7'): DocumentInput {
  const usual = { agent: 'host-7', identity: 'orders', selectors: ['unix:uid:1000', 'unix:gid:7'] };
  return { ...head, kind: 'Workload', metadata: { name }, spec: { ...usual, expires_at: END, ...spec } };
}

function trustDomain(spec: object = {}): DocumentInput {
  const usual = { trust_domain: 'foreign.test', bundle };
  return { ...head, kind: 'TrustDomain', metadata: { name: 'the others' }, spec: { ...usual, ...spec } };
}

const SPIRE = 'spiffe://foreign.test/spire/server';
/** https_spiffe, beside the bundle. */
const AS_SVID = { bundle_endpoint: 'https://spire.foreign.test/', endpoint_spiffe_id: SPIRE };

interface Change {
  readonly op: string;
  readonly kind: string;
}
const apply = (documents: readonly DocumentInput[], prune = false, query = '') =>
  authority.call('POST', `/v1/apply${query}`, { body: { documents, prune } });
async function changes(documents: readonly DocumentInput[], prune = false, query = ''): Promise<string[]> {
  const answer = await apply(documents, prune, query);
  expect(answer.status, answer.text).toBe(200);
  return answer.body.changes.map(({ op, kind }: Change) => `${op} ${kind}`);
}
async function exported(): Promise<DocumentInput[]> {
  return (await authority.call('GET', '/v1/export')).body.documents;
}
const ofKind = (documents: readonly DocumentInput[], kind: string) =>
  documents.filter((each) => each.kind === kind);

test('workloads and trust domains are planned, made, and not made again', async () => {
  const documents = [workload(), trustDomain()];
  const made = ['create TrustDomain', 'create Workload'];
  expect((await changes(documents, false, '?dry_run=true')).sort()).toEqual(made);
  expect((await authority.call('GET', '/v1/workloads')).body.items).toEqual([]);
  expect((await changes(documents)).sort()).toEqual(made);
  expect(await changes(documents)).toEqual([]);
  // In whatever order its selectors are.
  expect(await changes([workload({ selectors: ['unix:gid:7', 'unix:uid:1000'] })])).toEqual([]);
});

test('what is exported changes nothing when it is applied, and makes the same elsewhere', async () => {
  await changes([workload({ hint: 'main' }), trustDomain({ name: 'The others' })]);
  const documents = await exported();
  expect(ofKind(documents, 'Workload')).toEqual([workload({ hint: 'main' }, 'orders at host-7')]);
  const [domain] = ofKind(documents, 'TrustDomain');
  expect(domain?.spec).toEqual({ trust_domain: 'foreign.test', name: 'The others', bundle });
  expect(await changes(documents, true)).toEqual([]);
});

test('they change as documents do; other selectors are another registration', async () => {
  await changes([workload(), trustDomain()]);
  expect(await changes([workload({ hint: 'second' })])).toEqual(['update Workload']);
  expect(await changes([trustDomain({ bundle: { keys: [] } })])).toEqual(['update TrustDomain']);
  expect(await changes([workload({ hint: 'second' }), workload({ selectors: ['unix:uid:5'] })])).toEqual([
    'create Workload',
  ]);
});

test('what is not declared any more ends, of the kinds that are declared at all', async () => {
  await changes([workload(), workload({ selectors: ['unix:uid:5'] }), trustDomain()]);
  expect(await changes([workload()], true)).toEqual(['delete Workload']);
  expect((await authority.call('GET', '/v1/workloads')).body.items).toHaveLength(1);
  expect((await authority.call('GET', '/v1/trust-domains')).body.items).toHaveLength(1);
  const other = trustDomain({ trust_domain: 'third.test' });
  expect((await changes([other], true)).sort()).toEqual(['create TrustDomain', 'delete TrustDomain']);
});

test('one that is over is not exported, and not ended by documents that leave it out', async () => {
  await changes([
    workload(),
    workload({ selectors: ['unix:uid:5'], expires_at: undefined, expires_in: '1d' }),
  ]);
  authority.clock.advance(2 * DAY);
  expect(ofKind(await exported(), 'Workload')).toHaveLength(1);
  expect(await changes([workload()], true)).toEqual([]);
});

test.each([
  ['an agent that there is not', workload({ agent: 'host-8' }), '/documents/0/spec/agent'],
  ['an identity that there is not', workload({ identity: 'nobody' }), '/documents/0/spec/identity'],
  ['a program alone', workload({ selectors: ['unix:path:/bin/x'] }), '/documents/0/spec/selectors'],
  ['no end', workload({ expires_at: undefined }), '/documents/0/spec/expires_at'],
  ['neither bundle nor endpoint', trustDomain({ bundle: undefined }), '/documents/0/spec/bundle'],
  [
    'an endpoint in the name of nobody',
    trustDomain({ ...AS_SVID, endpoint_spiffe_id: 'spiffe://foreign.test' }),
    '/documents/0/spec/endpoint_spiffe_id',
  ],
  ['an endpoint without its address', trustDomain({ endpoint_spiffe_id: SPIRE }), '/documents/0/spec/bundle'],
  [
    'an endpoint of itself without its first bundle',
    trustDomain({ ...AS_SVID, bundle: undefined }),
    '/documents/0/spec/bundle',
  ],
  [
    'a bundle that says nothing',
    trustDomain({ ...AS_SVID, endpoint_spiffe_id: 'spiffe://keeper.test/b' }),
    '/documents/0/spec/bundle',
  ],
  ['the own trust domain', trustDomain({ trust_domain: 'authority.test' }), '/documents/0/spec/trust_domain'],
])('a document with %s is refused, and says where', async (_what, document, pointer) => {
  const answer = await apply([document]);
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.status).toBeLessThan(500);
  expect(answer.body.errors[0].pointer).toBe(pointer);
});

test('an endpoint that answers as an X.509-SVID is declared with its bundle, exported, and declared otherwise', async () => {
  expect(await changes([trustDomain(AS_SVID)])).toEqual(['create TrustDomain']);
  expect(ofKind(await exported(), 'TrustDomain')[0]?.spec).toEqual({
    trust_domain: 'foreign.test',
    bundle,
    ...AS_SVID,
  });
  expect(await changes([trustDomain(AS_SVID)])).toEqual([]);
  const [{ id }] = (await authority.call('GET', '/v1/trust-domains')).body.items;
  const elsewhere = {
    bundle_endpoint: AS_SVID.bundle_endpoint,
    endpoint_spiffe_id: 'spiffe://keeper.test/b',
  };
  const patched = await authority.call('PATCH', `/v1/trust-domains/${id}`, {
    body: elsewhere,
    headers: { 'If-Match': '"1"' },
  });
  expect(patched.body).toMatchObject({ ...elsewhere, bundle: null });
  const lone = await authority.call('PATCH', `/v1/trust-domains/${id}`, {
    body: { endpoint_spiffe_id: SPIRE },
    headers: { 'If-Match': '"2"' },
  });
  expect(lone.status).toBe(400);
});

test('the same registration twice is refused', async () => {
  const twice = [workload(), workload({ selectors: ['unix:gid:7', 'unix:uid:1000'], hint: 'x' })];
  expect((await apply(twice)).status).toBe(400);
});

test('who may apply documents may not by that say which processes an identity is, or whose SVIDs count', async () => {
  const scopes = ['identities', 'credentials', 'resource-servers', 'access'].map((noun) => `${noun}:write`);
  await authority.call('POST', '/v1/identities', { body: identityBody('ci', { client_id: 'ci' }) });
  await authority.call('POST', '/v1/identities/ci/credentials', { body: { type: 'client_secret' } });
  await authority.call('POST', '/v1/access', { body: accessBody('ci', RESOURCE, scopes) });
  const token = await authority.tokenFor('ci');
  for (const document of [workload(), trustDomain()]) {
    const body = { documents: [document] };
    expect((await authority.call('POST', '/v1/apply', { token, body })).status).toBe(403);
  }
});
