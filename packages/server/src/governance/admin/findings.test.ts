import { operations } from '@countersign/admin-api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Answer, type Authority, identityBody, openAuthority } from '../../../test/authority.ts';
import { findingRecord } from '../../storage/contract/records.ts';
import type { FindingRecord } from '../../storage/findings.ts';

const DAY = 86_400_000;
let authority: Authority;
let identityId: string;

beforeEach(async () => {
  authority = await openAuthority();
  const made = await authority.call('POST', '/v1/identities', {
    body: identityBody('a', { client_id: 'a' }),
  });
  identityId = made.body.id;
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

async function inserted(overrides: Partial<FindingRecord> = {}): Promise<FindingRecord> {
  const record = findingRecord(identityId, overrides);
  await authority.storage.findings.insert(record);
  return record;
}

const accept = (id: string, days: number, reason = 'known'): Promise<Answer> => {
  const until = new Date(authority.clock.now() + days * DAY).toISOString();
  return authority.call('POST', `/v1/findings/${id}/accept`, { body: { reason, until } });
};

test('lists by every filter, in pages, in the shape of the contract', async () => {
  const one = await inserted();
  const two = await inserted({
    kind: 'wide_access',
    subject: 'access',
    severity: 'high',
    createdAt: one.createdAt + 1,
  });
  const ids = async (query: string): Promise<string[]> => {
    const answer = await authority.call('GET', `/v1/findings?${query}`);
    expect(answer.status, answer.text).toBe(200);
    expect(operations['findings.list'].response.parse(answer.body)).toEqual(answer.body);
    return answer.body.items.map((item: { id: string }) => item.id);
  };
  expect(await ids('')).toEqual([one.id, two.id]);
  expect(await ids('identity=a&state=open')).toEqual([one.id, two.id]);
  expect(await ids('kind=wide_access')).toEqual([two.id]);
  expect(await ids('severity=high')).toEqual([two.id]);
  expect(await ids(`subject=${one.subjectId}`)).toEqual([one.id]);
  expect(await ids('state=resolved')).toEqual([]);
  const first = await authority.call('GET', '/v1/findings?limit=1');
  expect(await ids(`limit=1&cursor=${first.body.next_cursor}`)).toEqual([two.id]);
});

test('an unknown identity, kind or id is refused', async () => {
  const status = async (target: string): Promise<number> => (await authority.call('GET', target)).status;
  expect(await status('/v1/findings?identity=nobody')).toBe(404);
  expect(await status('/v1/findings?kind=ugly')).toBe(400);
  expect(await status('/v1/findings/fnd_00000000000000000000')).toBe(404);
});

test('accepting says who, why and until when, in the answer and in the log', async () => {
  const { id } = await inserted();
  const answer = await accept(id, 30, 'moves to keys in May');
  expect(answer.body).toMatchObject({
    state: 'accepted',
    accepted_by: 'admin',
    accepted_reason: 'moves to keys in May',
  });
  const event = authority.log.events.find(({ request_id }) => request_id === answer.requestId);
  expect(event).toMatchObject({ type: 'finding.accepted', resource: id, reason: 'moves to keys in May' });
  const longer = await accept(id, 60);
  expect(longer.status).toBe(200);
});

test('an acceptance ends: not in the past, not after a year', async () => {
  const { id } = await inserted();
  for (const days of [-1, 367, 5000]) {
    const answer = await accept(id, days);
    expect([answer.status, answer.body.errors?.[0]?.pointer]).toEqual([400, '/until']);
  }
  expect((await accept(id, 366)).status).toBe(200);
});

test('reopening takes it back; what is resolved stays so', async () => {
  const { id } = await inserted();
  await accept(id, 30);
  const reopened = await authority.call('POST', `/v1/findings/${id}/reopen`, { body: {} });
  expect(reopened.body).toMatchObject({ state: 'open', accepted_by: null, accepted_until: null });
  const resolved = await inserted({ state: 'resolved', resolvedAt: authority.clock.now() });
  expect((await accept(resolved.id, 3)).status).toBe(409);
  expect((await authority.call('POST', `/v1/findings/${resolved.id}/reopen`, { body: {} })).status).toBe(409);
});

test('a stale version is refused, a dry run changes nothing', async () => {
  const { id } = await inserted();
  const until = new Date(authority.clock.now() + DAY).toISOString();
  const body = { reason: 'known', until };
  const stale = await authority.call('POST', `/v1/findings/${id}/accept`, {
    body,
    headers: { 'if-match': '"7"' },
  });
  expect(stale.status).toBe(412);
  const dry = await authority.call('POST', `/v1/findings/${id}/accept?dry_run=true`, { body });
  expect(dry.body.changes).toMatchObject([{ op: 'update', kind: 'Finding', name: id }]);
  expect((await authority.call('GET', `/v1/findings/${id}`)).body.state).toBe('open');
});

test('a dry run of reopening says so, and leaves it accepted', async () => {
  const { id } = await inserted();
  await accept(id, 30);
  const dry = await authority.call('POST', `/v1/findings/${id}/reopen?dry_run=true`, { body: {} });
  expect(dry.body.changes).toMatchObject([{ op: 'update', kind: 'Finding', name: id }]);
  expect((await authority.call('GET', `/v1/findings/${id}`)).body.state).toBe('accepted');
});
