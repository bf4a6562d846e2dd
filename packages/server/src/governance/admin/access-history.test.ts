import { operations } from '@countersign/admin-api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  accessBody,
  type Answer,
  type Authority,
  identityBody,
  openAuthority,
  resourceServerBody,
  START,
} from '../../../test/authority.ts';

const FRAUD = 'https://fraud.test/api';
const DAY = 86_400_000;

let authority: Authority;
let access: string;
beforeEach(async () => {
  authority = await openAuthority();
  await authority.call('POST', '/v1/identities', { body: identityBody('a', { client_id: 'a' }) });
  await authority.call('POST', '/v1/resource-servers', {
    body: resourceServerBody(FRAUD, ['read', 'write']),
  });
  await authority.call('POST', '/v1/approval-rules', {
    body: { name: 'all', steps: [{ quorum: 1, roles: ['approver'] }] },
  });
  const asked = await authority.call('POST', '/v1/access', {
    body: accessBody('a', FRAUD, ['read', 'write']),
  });
  access = asked.body.id as string;
  authority.clock.advance(DAY);
  await authority.call('POST', `/v1/access/${access}/approve`, {
    token: await authority.personToken('ann', ['approver']),
    body: { content_hash: asked.body.pending.content_hash },
  });
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const at = (ms: number): string => new Date(ms).toISOString();
const holders = async (scope: string, when: number): Promise<Answer['body'][]> => {
  const query = `resource_server=${encodeURIComponent(FRAUD)}&scope=${scope}&at=${at(when)}`;
  const answer = await authority.call('GET', `/v1/access/holders?${query}`);
  expect(operations['access.holders'].response.parse(answer.body)).toEqual(answer.body);
  return answer.body.items;
};
async function explain(scope: string, when: number | undefined): Promise<Answer['body']> {
  const query = `identity=a&resource_server=${encodeURIComponent(FRAUD)}&scope=${scope}`;
  const then = when === undefined ? '' : `&at=${at(when)}`;
  const answer = await authority.call('GET', `/v1/access/explain?${query}${then}`);
  expect(operations['access.explain'].response.parse(answer.body), answer.text).toEqual(answer.body);
  return answer.body;
}

test('who held a scope at an instant, and who approved it, is one call', async () => {
  authority.clock.advance(DAY);
  await authority.call('PATCH', `/v1/access/${access}`, {
    body: { scopes: ['read'] },
    headers: { 'If-Match': '*' },
  });
  expect(await holders('write', START + DAY - 1)).toEqual([]);
  expect(await holders('write', START + DAY)).toMatchObject([
    {
      client_id: 'a',
      access,
      version: 2,
      could_act: true,
      since: at(START + DAY),
      requested_by: 'admin',
      approved_by: 'ann',
      approvals: [{ person: 'ann', decision: 'approve', at: at(START + DAY) }],
    },
  ]);
  expect(await holders('write', START + 2 * DAY)).toEqual([]);
  // Narrowed since, under the approval of before.
  expect(await holders('read', START + 2 * DAY)).toMatchObject([
    { version: 3, approvals: [{ person: 'ann' }] },
  ]);
  await authority.call('POST', '/v1/identities/a/suspend', { body: { reason: 'odd' } });
  authority.clock.advance(1);
  expect(await holders('read', START + 2 * DAY + 1)).toMatchObject([
    { identity_state: 'suspended', could_act: false },
  ]);
});

test('the list as of an instant says who approved, too', async () => {
  const list = await authority.call(
    'GET',
    `/v1/access?identity=a&as_of=${at(START + DAY)}&resource_server=${encodeURIComponent(FRAUD)}&scope=write`,
  );
  expect(list.body.items).toMatchObject([
    { state: 'active', approved_by: 'ann', approvals: [{ person: 'ann' }] },
  ]);
});

test('why something is allowed is a chain, and why not its first link that does not hold', async () => {
  const without = await explain('write', undefined);
  expect(without).toMatchObject({ allowed: false, blocked_by: 'credential' });
  authority.clock.advance(DAY);
  await authority.call('POST', '/v1/identities/a/credentials', { body: { type: 'client_secret' } });
  const allowed = await explain('write', undefined);
  expect(allowed).toMatchObject({ allowed: true, blocked_by: null, approvals: [{ person: 'ann' }] });
  expect(allowed.links.map(({ link }: { link: string }) => link)).toEqual([
    'identity',
    'credential',
    'access',
    'scope',
    'approvals',
    'conditions',
    'policy',
  ]);
  const now = START + 2 * DAY;
  expect(await explain('write', START - 1)).toMatchObject({ blocked_by: 'identity' });
  expect(await explain('write', START)).toMatchObject({ blocked_by: 'credential' });
  expect(await explain('delete', now)).toMatchObject({ blocked_by: 'scope' });
  await authority.call('PATCH', `/v1/access/${access}`, {
    body: {
      conditions: {
        times: [{ days: ['mon'], from: '00:00', to: '24:00', time_zone: 'UTC' }],
        binding: 'any',
      },
    },
    headers: { 'If-Match': '*' },
  });
  // 23 November 2026 is a Monday.
  const monday = await explain('read', Date.parse('2026-11-23T13:00:00Z'));
  expect(monday.links.at(-2)).toMatchObject({
    link: 'conditions',
    detail: 'within its time windows; only bound by any',
  });
  expect(await explain('read', Date.parse('2026-11-24T13:00:00Z'))).toMatchObject({
    blocked_by: 'conditions',
  });
  await authority.call('POST', '/v1/identities/a/suspend', { body: { reason: 'odd' } });
  expect(await explain('read', undefined)).toMatchObject({ blocked_by: 'identity' });
  expect((await explain('read', undefined)).links[0].detail).toContain('odd');
  expect(await explain('read', START + 40 * DAY)).toMatchObject({ blocked_by: 'identity' });
});

test('however often it was rotated since, what an identity could do then is told by the credential of then', async () => {
  await authority.call('POST', '/v1/identities/a/credentials', { body: { type: 'client_secret' } });
  const then = authority.clock.now();
  for (let rotated = 0; rotated < 55; rotated++) {
    authority.clock.advance(DAY / 24);
    const { items } = (await authority.call('GET', '/v1/credentials?identity=a&state=active')).body;
    const { body } = await authority.call('POST', `/v1/credentials/${items[0].id}/rotate`, { body: {} });
    expect(body.state).toBe('active');
    const revoked = await authority.call('DELETE', `/v1/credentials/${items[0].id}`, {
      headers: { 'If-Match': '*' },
    });
    expect(revoked.status).toBe(200);
  }
  expect(await explain('read', then)).toMatchObject({ allowed: true });
  expect(await explain('read', START)).toMatchObject({ blocked_by: 'credential' });
});

test('and however often access was given before, by the one that was live then', async () => {
  await authority.call('POST', '/v1/identities/a/credentials', { body: { type: 'client_secret' } });
  const live = await authority.storage.access.byId(access);
  if (live === undefined) throw new Error('none');
  for (let ended = 0; ended < 201; ended++) {
    const at = START - 1000 + ended;
    const before = { id: `acs_before_${ended}`, state: 'revoked', createdAt: at, updatedAt: at } as const;
    await authority.storage.access.insert({ ...live, ...before, approvalId: undefined, version: 1 });
  }
  expect(await explain('read', authority.clock.now())).toMatchObject({ allowed: true });
});
