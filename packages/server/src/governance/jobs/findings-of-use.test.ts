import { operations } from '@countersign/admin-api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  accessBody,
  type Authority,
  identityBody,
  ISSUER,
  openAuthority,
  operator,
  resourceServerBody,
} from '../../../test/authority.ts';
import { createCredentialPlaces } from '../../registry/use/credential-places.ts';
import { createIssuancePace } from '../../registry/issuance-pace.ts';
import type { Job } from './job.ts';
import { lookForFindingsJob } from './look-for-findings.ts';

const FRAUD = 'https://fraud.test/api';
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const never = new AbortController().signal;

let authority: Authority;
let job: Job;
let accessId: string;
let seq: number;

beforeEach(async () => {
  seq = 0;
  authority = await openAuthority();
  job = lookForFindingsJob({
    ...authority.deps,
    pace: createIssuancePace(authority.clock.now()),
    places: createCredentialPlaces(),
    inactivity: 'suspend',
    suspendedForMs: 30 * 86_400_000,
  });
  await job.run(never);
  await authority.call('POST', '/v1/resource-servers', {
    body: resourceServerBody(FRAUD, ['read', 'write', 'usage:write']),
  });
  await operator(authority, 'fraud-api', ['usage:write']);
  await authority.call('POST', '/v1/access', { body: accessBody('fraud-api', FRAUD, ['usage:write']) });
  await authority.call('POST', '/v1/identities', { body: identityBody('pay', { client_id: 'pay' }) });
  accessId = (await authority.call('POST', '/v1/access', { body: accessBody('pay', FRAUD, ['read']) })).body
    .id;
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

async function report(change: Record<string, unknown>, status = 200): Promise<void> {
  const to = authority.clock.now();
  seq++;
  const body = {
    resource_server: FRAUD,
    instance: 'pod-1',
    boot: `boot-${seq}`,
    seq: 1,
    from: new Date(to - 60_000).toISOString(),
    to: new Date(to).toISOString(),
    rows: [],
    ...change,
  };
  const answer = await authority.call('POST', '/v1/usage', {
    body,
    token: await authority.tokenFor('fraud-api'),
  });
  expect(answer.status, answer.text).toBe(status);
}

async function found(kind: string): Promise<{ state: string; reason: string; client_id: string }[]> {
  authority.clock.advance(HOUR);
  await job.run(never);
  return (await authority.call('GET', `/v1/findings?kind=${kind}`)).body.items;
}

const route = (scope: string, path: string) => ({ scope, method: 'POST', path });

test('a scope that opens more than it did is a finding of who holds it, until somebody looked', async () => {
  await report({ routes: [route('read', '/cases'), route('made-up', '/nothing')] });
  authority.clock.advance(3 * DAY);
  await report({ routes: [route('read', '/cases/:id')] });
  expect(await found('scope_meaning_changed'), 'the first week is what it has always meant').toEqual([]);
  authority.clock.advance(5 * DAY);
  await report({
    routes: [route('read', '/cases'), route('read', '/cases/:id/refund'), route('write', '/new')],
  });
  const [finding, ...more] = await found('scope_meaning_changed');
  expect(more).toEqual([]);
  expect(finding).toMatchObject({
    state: 'open',
    client_id: 'pay',
    subject: { kind: 'access', id: accessId },
  });
  expect(finding?.reason).toMatch(/given: POST \/cases\/:id\/refund \(read\)$/);
  const shown = await authority.call('GET', `/v1/resource-servers/${encodeURIComponent(FRAUD)}`);
  expect(operations['resource-servers.get'].response.parse(shown.body)).toEqual(shown.body);
  expect(shown.body.usage.opens.map((each: { path: string }) => each.path)).toEqual([
    '/cases',
    '/cases/:id',
    '/cases/:id/refund',
    '/new',
  ]);
  await authority.call('PATCH', `/v1/access/${accessId}`, {
    body: { justification: 'needs refunds as well' },
    headers: { 'If-Match': '*' },
  });
  expect((await found('scope_meaning_changed')).map(({ state }) => state)).toEqual(['resolved']);
});

test('callers that no identity stands behind are found while they are let in, and a week longer', async () => {
  const row = { scope: 'read', ok: 1, denied: 0 };
  await report({
    rows: [{ ...row, issuer: 'https://foreign.test', client_id: 'refused', ok: 0, denied: 5 }],
  });
  expect(await found('unregistered_caller')).toEqual([]);
  await report({ rows: [{ ...row, issuer: 'https://foreign.test', client_id: 'pay' }] });
  const [finding] = await found('unregistered_caller');
  expect(finding).toMatchObject({ state: 'open', severity: 'medium', client_id: 'fraud-api' });
  expect(finding?.reason).toBe(
    `${FRAUD} lets in callers that no identity stands behind: pay of https://foreign.test`,
  );
  await report({
    rows: [
      { ...row, credential: 'crd_00000000000000000000', access: accessId },
      { ...row, issuer: ISSUER, client_id: 'old' },
    ],
  });
  const [worse] = await found('unregistered_caller');
  expect(worse).toMatchObject({ severity: 'high' });
  expect(worse?.reason).toContain('the unknown caller crd_00000000000000000000, the unknown caller old');
  authority.clock.advance(8 * DAY);
  expect((await found('unregistered_caller')).map(({ state }) => state)).toEqual(['resolved']);
});

test('callers and routes are bounded', async () => {
  const callers = Array.from({ length: 120 }, (_, at) => ({
    issuer: 'https://foreign.test',
    client_id: `caller-${at}`,
    scope: null,
    ok: 1,
    denied: 0,
  }));
  await report({ rows: callers });
  const [server] = (await authority.storage.resourceServers.list({ text: FRAUD }, { limit: 1 })).items;
  expect(await authority.storage.unregisteredCallers.of(server?.id ?? '')).toHaveLength(100);
  await report({ routes: Array.from({ length: 201 }, (_, at) => route('read', `/${at}`)) }, 400);
  await report({ routes: [route('read', '/with space')] }, 400);
  for (let part = 0; part < 11; part++) {
    await report({ routes: Array.from({ length: 200 }, (_, at) => route('read', `/${part}/${at}`)) });
  }
  expect(await authority.storage.scopeRoutes.of(server?.id ?? '')).toHaveLength(2000);
});
