import { operations } from '@countersign/admin-api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  accessBody,
  type Answer,
  type Authority,
  identityBody,
  openAuthority,
  operator,
  resourceServerBody,
} from '../../../test/authority.ts';

const FRAUD = 'https://fraud.test/api';
const MINUTE = 60_000;
const DAY = 86_400_000;

let authority: Authority;
let reporter: string;
let accessId: string;
let credentialId: string;

beforeEach(async () => {
  authority = await openAuthority();
  await authority.call('POST', '/v1/resource-servers', {
    body: resourceServerBody(FRAUD, ['read', 'write', 'usage:write']),
  });
  await operator(authority, 'fraud-api', ['usage:write']);
  await authority.call('POST', '/v1/access', { body: accessBody('fraud-api', FRAUD, ['usage:write']) });
  await authority.call('POST', '/v1/identities', { body: identityBody('pay', { client_id: 'pay' }) });
  const credential = await authority.call('POST', '/v1/identities/pay/credentials', {
    body: { type: 'client_secret' },
  });
  credentialId = credential.body.id;
  const access = await authority.call('POST', '/v1/access', {
    body: accessBody('pay', FRAUD, ['read', 'write']),
  });
  accessId = access.body.id;
  reporter = 'fraud-api';
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const iso = (at: number): string => new Date(at).toISOString();
let told = 0;

/** One minute of one copy, ending now. */
function report(change: Record<string, unknown> = {}): Record<string, unknown> {
  const now = authority.clock.now();
  return {
    resource_server: FRAUD,
    instance: 'pod-1',
    boot: 'boot-1',
    seq: change['seq'] ?? ++told,
    from: iso(now - MINUTE),
    to: iso(now),
    rows: [],
    ...change,
  };
}
beforeEach(() => {
  told = 0;
});

const row = (scope: string | null, ok: number, denied: number): object => ({
  credential: credentialId,
  access: accessId,
  scope,
  ok,
  denied,
});
const send = async (body: Record<string, unknown>, as: string = reporter): Promise<Answer> =>
  await authority.call('POST', '/v1/usage', { body, token: await authority.tokenFor(as) });
const shown = async (query = ''): Promise<Answer['body']> => {
  const answer = await authority.call('GET', `/v1/access/${accessId}${query}`);
  expect(answer.status, answer.text).toBe(200);
  expect(operations['access.get'].response.parse(answer.body)).toEqual(answer.body);
  return answer.body.usage;
};
const listed = async (query: string): Promise<string[]> => {
  const answer = await authority.call('GET', `/v1/access?${query}`);
  expect(answer.status, answer.text).toBe(200);
  expect(operations['access.list'].response.parse(answer.body)).toEqual(answer.body);
  return answer.body.items.map((item: { id: string }) => item.id);
};

/** Tells of everything since the copy began, without a gap. */
async function tellsFor(ms: number, rows: readonly object[] = []): Promise<void> {
  const from = authority.clock.now();
  authority.clock.advance(ms);
  const answer = await send(report({ from: iso(from), to: iso(authority.clock.now()), rows }));
  expect(answer.status, answer.text).toBe(200);
}

test('what the guard required is used, what it did not is unused, and a refusal is neither', async () => {
  await tellsFor(DAY, [row('read', 5, 0), row('write', 0, 9)]);
  const usage = await shown();
  expect(usage).toMatchObject({ state: 'used', coverage: 1, last_used: iso(authority.clock.now()) });
  expect(usage.scopes).toEqual([
    {
      scope: 'read',
      state: 'used',
      last_used: iso(authority.clock.now()),
      last_denied: null,
      ok: 5,
      denied: 0,
      days: ['2026-11-22'],
    },
    {
      scope: 'write',
      state: 'unused',
      last_used: null,
      last_denied: iso(authority.clock.now()),
      ok: 0,
      denied: 9,
      days: [],
    },
  ]);
});

test('nobody who is not told of is unused', async () => {
  authority.clock.advance(10 * DAY);
  expect(await shown()).toMatchObject({ state: 'unknown', coverage: 0, last_used: null });
  expect(await listed(`resource_server=${FRAUD}&unused_for=5d`)).toEqual([]);
});

test('a resource server that falls silent turns unused into unknown, and used into nothing else', async () => {
  await tellsFor(DAY, [row('read', 1, 0)]);
  const states = async (): Promise<string[]> =>
    (await shown('?within=12h')).scopes.map((each: { state: string }) => each.state);
  expect(await states()).toEqual(['used', 'unused']);
  authority.clock.advance(6 * MINUTE);
  expect(await states()).toEqual(['used', 'unknown']);
  authority.clock.advance(DAY);
  expect(await states()).toEqual(['unknown', 'unknown']);
  // It lived, and could not tell: what it tells now is as good.
  await send(report({ from: iso(authority.clock.now() - DAY - 6 * MINUTE) }));
  expect(await states()).toEqual(['unused', 'unused']);
});

test('one copy that falls silent is enough to know nothing; one that said goodbye is not', async () => {
  await tellsFor(DAY);
  await send(report({ boot: 'boot-2', seq: 1, from: iso(authority.clock.now() - MINUTE) }));
  await tellsFor(10 * MINUTE);
  expect((await shown('?within=12h')).state).toBe('unknown');
  const at = authority.clock.now();
  await send(
    report({ boot: 'boot-2', seq: 2, from: iso(at - 10 * MINUTE), to: iso(at - 9 * MINUTE), final: true }),
  );
  await tellsFor(10 * MINUTE);
  expect((await shown('?within=12h')).state).toBe('unused');
});

test('a report that comes twice counts once, one that comes late counts, and one that lost count blinds', async () => {
  const first = report({ rows: [row('read', 2, 1)] });
  const second = report({ rows: [row('read', 3, 0)] });
  expect((await send(second)).body).toEqual({ counted: true });
  expect((await send(first)).body).toEqual({ counted: true });
  expect((await send(first)).body).toEqual({ counted: false });
  expect((await send(second)).body).toEqual({ counted: false });
  const [read] = (await shown()).scopes;
  expect([read.ok, read.denied]).toEqual([5, 1]);
  await tellsFor(DAY);
  expect((await shown('?within=12h')).scopes[1].state).toBe('unused');
  await send(report({ from: iso(authority.clock.now() - 6 * 3_600_000), uncounted: { ok: 1, denied: 0 } }));
  expect((await shown('?within=12h')).scopes[1].state).toBe('unknown');
});

test('only who holds usage:write of the resource server tells of it', async () => {
  await operator(authority, 'other-api', ['usage:write']);
  expect((await send(report(), 'other-api')).body).toMatchObject({ status: 403, code: 'insufficient_scope' });
  expect((await send(report({ resource_server: 'https://none.test' }))).status).toBe(403);
  await operator(authority, 'reader', ['access:read']);
  expect((await send(report(), 'reader')).status).toBe(403);
  const own = (await authority.call('GET', '/v1/access?identity=fraud-api&scope=usage:write')).body.items;
  const { id } = own.find((each: { resource: string }) => each.resource === FRAUD);
  await authority.call('DELETE', `/v1/access/${id}`, { headers: { 'If-Match': '*' } });
  expect((await send(report())).status).toBe(403);
});

test('what is told of others, or of nobody, is not counted', async () => {
  await operator(authority, 'stranger', ['access:read']);
  const [other] = (await authority.call('GET', '/v1/access?identity=stranger')).body.items;
  const rows = [
    { ...row('read', 1, 0), credential: 'crd_00000000000000000000' },
    { ...row('read', 1, 0), access: other.id },
    { ...row('read', 1, 0), access: 'nothing like an id' },
    { issuer: 'https://foreign.test', client_id: 'x', scope: null, ok: 1, denied: 0 },
  ];
  expect((await send(report({ rows }))).body).toEqual({ counted: true });
  expect(await shown()).toMatchObject({ last_used: null });
  // A scope that the API does not define is use of the access, by no scope.
  await send(report({ rows: [row('made-up', 1, 0), row(null, 1, 0)] }));
  const usage = await shown();
  expect([usage.state, usage.scopes.map((each: { ok: number }) => each.ok)]).toEqual(['used', [0, 0]]);
});

test('reports are bounded: rows, names, the time they tell of', async () => {
  const now = authority.clock.now();
  const many = Array.from({ length: 501 }, () => row('read', 1, 0));
  for (const [change, status] of [
    [{ rows: many.slice(0, 500) }, 200],
    [{ rows: many }, 400],
    [{ rows: [row('read', -1, 0)] }, 400],
    [{ rows: [{ ...row('read', 1, 0), access: 'x'.repeat(257) }] }, 400],
    [{ boot: 'with space' }, 400],
    [{ seq: 0 }, 400],
    [{ from: iso(now), to: iso(now - 1) }, 400],
    [{ to: iso(now + 301_000) }, 400],
    [{ to: iso(now + 299_000) }, 200],
    [{ from: iso(now - 8 * DAY), to: iso(now - 7 * DAY - 1) }, 400],
  ] as const) {
    const answer = await send(report({ boot: `b-${status}-${told}`, ...change }));
    expect(answer.status, JSON.stringify(change).slice(0, 100)).toBe(status);
  }
});

test('access is listed by use: used within, or known to be unused for, by any scope or the one that is named', async () => {
  await tellsFor(2 * DAY, [row('read', 1, 0)]);
  const api = `resource_server=${FRAUD}&identity=pay`;
  expect(await listed(`${api}&used_within=1d`)).toEqual([accessId]);
  expect(await listed(`${api}&used_within=1d&scope=write`)).toEqual([]);
  expect(await listed(`${api}&unused_for=1d`)).toEqual([]);
  expect(await listed(`${api}&unused_for=1d&scope=write`)).toEqual([accessId]);
  // It is not as old as that, used or not.
  expect(await listed(`${api}&unused_for=3d&scope=write`)).toEqual([]);
  await tellsFor(2 * DAY);
  expect(await listed(`${api}&used_within=1d`)).toEqual([]);
  expect(await listed(`${api}&unused_for=1d`)).toEqual([accessId]);
  for (const query of ['used_within=1d&unused_for=1d', 'used_within=401d', 'used_within=soon']) {
    expect((await authority.call('GET', `/v1/access?${query}`)).status).toBe(400);
  }
  const past = iso(authority.clock.now() - DAY);
  expect((await authority.call('GET', `/v1/access?as_of=${past}&used_within=1d`)).status).toBe(400);
  const [then] = (await authority.call('GET', `/v1/access?${api}&as_of=${past}`)).body.items;
  expect(then.usage).toBeUndefined();
});

test('who reports is in the log once a start, and reporting is itself use', async () => {
  await tellsFor(DAY);
  await tellsFor(DAY);
  const events = authority.log.events.filter(({ type }) => type.startsWith('usage.'));
  expect(events.map(({ type, identity }) => [type, identity])).toEqual([
    ['usage.reporting_began', 'fraud-api'],
  ]);
  const items = (await authority.call('GET', '/v1/access?identity=fraud-api')).body.items;
  expect(items.find((each: { resource: string }) => each.resource === FRAUD).usage).toMatchObject({
    state: 'used',
  });
});

test('a call right after the access was given is use, though clocks of verifiers are coarse', async () => {
  const now = authority.clock.now();
  const second = Math.floor(now / 1000) * 1000;
  expect(second).toBeLessThan(now);
  await send(report({ from: iso(second), to: iso(second), rows: [row('read', 1, 0)] }));
  expect((await shown()).scopes[0]).toMatchObject({ state: 'used', ok: 1 });
});

test('a dry run tells nothing', async () => {
  const answer = await authority.call('POST', '/v1/usage?dry_run=true', {
    body: report({ rows: [row('read', 1, 0)] }),
    token: await authority.tokenFor(reporter),
  });
  expect(answer.status, answer.text).toBe(200);
  expect((await shown()).last_used).toBeNull();
});

test.each([
  ['another network', { networks: ['198.51.100.0/24'] }, 'network_not_allowed'],
  ['a bound token', { binding: 'any' }, 'binding_required'],
  [
    'another time',
    { times: [{ days: ['mon'], from: '03:00', to: '03:01', time_zone: 'UTC' }] },
    'outside_time_window',
  ],
])('nobody reports by an access that wants %s', async (_what, conditions, reason) => {
  const { body } = await authority.call('GET', `/v1/access?identity=fraud-api&resource_server=${FRAUD}`);
  const change = async (wanted: object | null): Promise<void> => {
    const answer = await authority.call('PATCH', `/v1/access/${body.items[0].id}`, {
      body: { conditions: wanted },
      headers: [['If-Match', '*']],
    });
    expect(answer.status, answer.text).toBe(200);
  };
  await change(conditions);
  const answer = await send(report());
  expect([answer.status, answer.body.code]).toEqual([403, 'insufficient_scope']);
  expect(answer.body.detail).toContain(reason);
  await change({ networks: ['127.0.0.0/8'], times: null, binding: null });
  expect((await send(report())).status).toBe(200);
});
