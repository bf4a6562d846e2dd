import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type Answer,
  type Authority,
  identityBody,
  openAuthority,
  operator,
  RESOURCE,
  START,
} from '../../../test/authority.ts';

const DAY = 86_400_000;
const ALL = ['identities:write', 'credentials:write', 'access:write'];
const at = (ms: number): string => new Date(ms).toISOString();

let authority: Authority;
/** Holds everything that could be used against the admin, and cannot administer itself. */
let helper: string;
let ids: { credential: string; access: string };
beforeEach(async () => {
  authority = await openAuthority();
  const some = ['identities:write', 'credentials:write', 'cutoffs:write', 'trusted-issuers:write'];
  helper = await operator(authority, 'helper', some);
  const list = async (what: string): Promise<string> =>
    (await authority.call('GET', `/v1/${what}?identity=admin`)).body.items[0].id;
  ids = { credential: await list('credentials'), access: await list('access') };
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const send = (method: string, path: string, body?: object, token?: string): Promise<Answer> =>
  authority.call(method, `/v1/${path}`, {
    ...(body === undefined ? {} : { body }),
    ...(token === undefined ? {} : { token }),
    headers: { 'If-Match': '*' },
  });
const apply = (kind: string, spec: object): Promise<Answer> =>
  send('POST', 'apply', {
    documents: [{ apiVersion: 'countersign/v1', kind, metadata: { name: 'admin' }, spec }],
  });

const admin = {
  client_id: 'admin',
  name: 'Countersign admin',
  kind: 'service',
  environment: 'prod',
  purpose: 'Administers this authority',
  owner: { person: 'host' },
  sensitivity: 3,
  cadence: 'on_demand',
};
const accessSpec = {
  identity: 'admin',
  resource_server: RESOURCE,
  justification: 'The first admin of this authority',
};

/** By name: what would leave nobody who can administer. */
const ENDS: Readonly<Record<string, () => Promise<Answer>>> = {
  'an early end of its identity': () =>
    send('PATCH', 'identities/admin', { expires_at: at(START + DAY) }, helper),
  'its suspension': () => send('POST', 'identities/admin/suspend', { reason: 'x' }, helper),
  'an early end of its access': () => send('PATCH', `access/${ids.access}`, { expires_at: at(START + DAY) }),
  'narrowing its access': () => send('PATCH', `access/${ids.access}`, { scopes: ['identities:read'] }),
  'revoking its access': () => send('DELETE', `access/${ids.access}`),
  'revoking its credential': () => send('DELETE', `credentials/${ids.credential}`, undefined, helper),
  'suspending its credential': () => send('PATCH', `credentials/${ids.credential}`, { state: 'suspended' }),
  'a declared end': () => apply('Identity', { ...admin, expires_at: at(START + DAY) }),
  'a declared access that is narrower': () =>
    apply('Access', { ...accessSpec, scopes: ['access:write'], expires_at: at(START + 3650 * DAY) }),
};

describe('the last identity that can administer', () => {
  test.each(Object.keys(ENDS))('is not taken away by %s', async (name) => {
    const before = (await send('GET', 'export')).body;
    const answer = await ENDS[name]?.();
    expect([answer?.status, answer?.body.code], answer?.text).toEqual([409, 'last_administrator']);
    expect((await send('GET', 'export')).body).toEqual(before);
  });

  test.each(Object.keys(ENDS))('may go when there is another one: %s', async (name) => {
    await operator(authority, 'second', ALL);
    expect((await ENDS[name]?.())?.status).toBe(200);
  });

  test('is still the last when the other one lacks a scope', async () => {
    await operator(authority, 'second', ALL.slice(1));
    expect((await ENDS['its suspension']?.())?.status).toBe(409);
  });

  test('is still the last when the other one is suspended, ends soon, or cannot prove itself', async () => {
    await operator(authority, 'second', ALL);
    await send('PATCH', 'identities/second', { expires_at: at(START + 6 * DAY) });
    expect((await ENDS['its suspension']?.())?.status).toBe(409);
    await send('PATCH', 'identities/second', { expires_at: at(START + 8 * DAY) });
    await send('POST', 'identities/second/suspend', { reason: 'x' });
    expect((await ENDS['its suspension']?.())?.status).toBe(409);
    await send('POST', 'identities/second/resume', { reason: 'x' });
    const { items } = (await send('GET', 'credentials?identity=second')).body;
    await send('DELETE', `credentials/${items[0].id}`);
    expect((await ENDS['its suspension']?.())?.status).toBe(409);
  });

  test('may be shortened to what leaves a week', async () => {
    expect((await send('PATCH', 'identities/admin', { expires_at: at(START + 8 * DAY) })).status).toBe(200);
  });

  test('may change in every other way', async () => {
    expect((await send('PATCH', 'identities/admin', { purpose: 'runs it' })).status).toBe(200);
    expect((await send('PATCH', `access/${ids.access}`, { scopes: ALL })).status).toBe(200);
  });

  test('gets a new secret before the old one goes', async () => {
    await send('POST', 'identities/admin/credentials', { type: 'client_secret' });
    expect((await send('DELETE', `credentials/${ids.credential}`)).status).toBe(200);
  });

  test('shows in a dry run already', async () => {
    const answer = await send('POST', 'identities/admin/suspend?dry_run=true', { reason: 'x' });
    expect([answer.status, answer.body.code]).toEqual([409, 'last_administrator']);
  });

  test.each([
    ['identity', () => 'admin'],
    ['credential', () => ids.credential],
  ])('is stopped by a cut-off of its %s, always', async (kind, id) => {
    expect((await send('POST', 'cutoffs', { kind, id: id(), reason: 'stolen' }, helper)).status).toBe(201);
  });

  test('takes nobody else with it: other identities come and go', async () => {
    await authority.call('POST', '/v1/identities', { body: identityBody('a', { client_id: 'a' }) });
    expect((await send('POST', 'identities/a/suspend', { reason: 'x' })).status).toBe(200);
    expect((await send('POST', 'identities/helper/suspend', { reason: 'x' })).status).toBe(200);
  });
});
