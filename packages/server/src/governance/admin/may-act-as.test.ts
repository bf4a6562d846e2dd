import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type Answer,
  type Authority,
  identityBody,
  openAuthority,
  operator,
  START,
} from '../../../test/authority.ts';

// Whoever decides what proves an identity can become it: registry/own-access.ts.

const DAY = 86_400_000;
const headers = { 'If-Match': '*' };
const ending = (days: number): string => new Date(START + days * DAY).toISOString();

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
  await operator(authority, 'chief', ['keys:write', 'access:write']);
  await operator(authority, 'host', ['svids:issue']);
  for (const client_id of ['orders', 'gate'])
    await authority.call('POST', '/v1/identities', { body: identityBody(client_id, { client_id }) });
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const said = (answer: Answer): unknown[] => [answer.status, answer.body.code];
const BEYOND = [403, 'exceeds_own_access'];

const registration = (identity: string, more: object = {}): object => ({
  agent: 'host',
  identity,
  selectors: ['unix:uid:1000'],
  expires_at: ending(10),
  ...more,
});

describe('by a workload, of which an agent has the certificates', () => {
  const registered = async (identity: string): Promise<string> => {
    const made = await authority.call('POST', '/v1/workloads', { body: registration(identity) });
    expect(made.status, made.text).toBe(201);
    return `/v1/workloads/${made.body.id}`;
  };

  test('nobody registers who holds more of the admin API than they do', async () => {
    const token = await operator(authority, 'clerk', ['workloads:write', 'svids:issue']);
    for (const query of ['', '?dry_run=true']) {
      const body = registration('chief', { agent: 'clerk' });
      expect(said(await authority.call('POST', `/v1/workloads${query}`, { token, body }))).toEqual(BEYOND);
    }
    const body = registration('orders', { agent: 'clerk' });
    expect((await authority.call('POST', '/v1/workloads', { token, body })).status).toBe(201);
  });

  test('nobody gives such a registration to other processes, or a later end; it may be narrowed and removed', async () => {
    const token = await operator(authority, 'clerk', ['workloads:write', 'svids:issue']);
    const path = await registered('chief');
    const patch = (body: object): Promise<Answer> => authority.call('PATCH', path, { token, headers, body });
    expect(said(await patch({ selectors: ['unix:uid:0'] }))).toEqual(BEYOND);
    expect(said(await patch({ expires_at: ending(11) }))).toEqual(BEYOND);
    expect((await patch({ hint: 'main', expires_at: ending(9) })).status).toBe(200);
    expect((await authority.call('DELETE', path, { token, headers })).status).toBe(200);
  });

  test('nor does anybody by documents; those that change nothing are taken', async () => {
    const nouns = ['identities', 'credentials', 'resource-servers', 'access', 'workloads'];
    const token = await operator(authority, 'clerk', [
      ...nouns.map((noun) => `${noun}:write`),
      'svids:issue',
    ]);
    await registered('chief');
    const apply = (spec: object): Promise<Answer> => {
      const head = { apiVersion: 'countersign/v1', kind: 'Workload', metadata: { name: 'w' } };
      return authority.call('POST', '/v1/apply', { token, body: { documents: [{ ...head, spec }] } });
    };
    expect((await apply(registration('chief'))).status).toBe(200);
    expect(said(await apply(registration('chief', { expires_at: ending(20) })))).toEqual(BEYOND);
    expect(said(await apply(registration('chief', { selectors: ['unix:uid:0'] })))).toEqual(BEYOND);
  });

  test('a credential of an agent is one of all that it serves, however far that goes', async () => {
    const token = await operator(authority, 'clerk', ['credentials:write', 'svids:issue']);
    const secretFor = (identity: string): Promise<Answer> =>
      authority.call('POST', `/v1/identities/${identity}/credentials`, {
        token,
        body: { type: 'client_secret' },
      });
    await authority.call('POST', '/v1/workloads', { body: registration('orders', { agent: 'gate' }) });
    await authority.call('POST', '/v1/workloads', { body: registration('gate', { agent: 'orders' }) });
    expect((await secretFor('gate')).status).toBe(201);
    expect((await secretFor('host')).status).toBe(201);
    await authority.call('POST', '/v1/workloads', { body: registration('host', { agent: 'orders' }) });
    const path = await registered('chief');
    for (const identity of ['host', 'orders', 'gate'])
      expect(said(await secretFor(identity)), identity).toEqual(BEYOND);
    await authority.call('DELETE', path, { headers });
    expect((await secretFor('gate')).status).toBe(201);
  });
});

describe('by a trust domain, whose bundle says which SVIDs are good', () => {
  const trustDomain = { trust_domain: 'other.test', bundle: { keys: [] } };
  const evil = { bundle_endpoint: 'https://evil.test/bundle' };
  let path: string;
  beforeEach(async () => {
    const made = await authority.call('POST', '/v1/trust-domains', { body: trustDomain });
    path = `/v1/trust-domains/${made.body.id}`;
    const body = { type: 'spiffe', spiffe_id: 'spiffe://other.test/chief' };
    const credential = await authority.call('POST', '/v1/identities/chief/credentials', { body });
    expect(credential.status, credential.text).toBe(201);
  });

  test('nobody changes what proves somebody who holds more of the admin API than they do', async () => {
    const token = await operator(authority, 'clerk', ['trust-domains:write']);
    const patch = (body: object): Promise<Answer> => authority.call('PATCH', path, { token, headers, body });
    expect(said(await patch(evil))).toEqual(BEYOND);
    expect((await patch({ name: 'The others' })).status).toBe(200);
  });

  test('nor by declaring it again; what it proves to nobody who holds more is changed', async () => {
    const token = await operator(authority, 'clerk', ['trust-domains:write']);
    expect((await authority.call('DELETE', path, { token, headers })).status).toBe(200);
    const create = (trust_domain: string): Promise<Answer> =>
      authority.call('POST', '/v1/trust-domains', { token, body: { trust_domain, ...evil } });
    expect(said(await create('other.test'))).toEqual(BEYOND);
    const third = await create('third.test');
    expect(third.status, third.text).toBe(201);
    const body = { bundle: { keys: [] } };
    const changed = await authority.call('PATCH', `/v1/trust-domains/${third.body.id}`, {
      token,
      headers,
      body,
    });
    expect(changed.status).toBe(200);
  });

  test('nor by documents; those that change nothing are taken', async () => {
    const nouns = ['identities', 'credentials', 'resource-servers', 'access', 'trust-domains'];
    const token = await operator(
      authority,
      'clerk',
      nouns.map((noun) => `${noun}:write`),
    );
    const apply = (spec: object): Promise<Answer> => {
      const head = { apiVersion: 'countersign/v1', kind: 'TrustDomain', metadata: { name: 't' } };
      return authority.call('POST', '/v1/apply', { token, body: { documents: [{ ...head, spec }] } });
    };
    expect((await apply(trustDomain)).status).toBe(200);
    expect(said(await apply({ trust_domain: 'other.test', ...evil }))).toEqual(BEYOND);
  });
});
