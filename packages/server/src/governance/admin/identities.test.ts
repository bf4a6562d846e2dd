import { operations } from '@countersign/admin-api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Authority, identityBody, openAuthority } from '../../../test/authority.ts';

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const types = (requestId: string): string[] =>
  authority.log.events.filter((event) => event.request_id === requestId).map((event) => event.type);

test('a created identity is active, has its place, its version and its event', async () => {
  const answer = await authority.call('POST', '/v1/identities', { body: identityBody('Payments EU') });
  expect(answer.status, answer.text).toBe(201);
  expect(operations['identities.create'].response.parse(answer.body)).toEqual(answer.body);
  expect(answer.body).toMatchObject({ state: 'active', version: 1, built_in: false, state_reason: null });
  expect(answer.body.client_id).toMatch(/^payments-eu-[0-9a-z]{6}$/);
  expect(answer.headers).toMatchObject({
    etag: '"1"',
    location: `/v1/identities/${answer.body.id}`,
    'cache-control': 'no-store',
  });
  expect(types(answer.requestId)).toEqual(['identity.created']);
  const event = authority.log.events.at(-1);
  expect(event).toMatchObject({ identity: 'admin', resource: answer.body.id, outcome: 'success' });
  // What waits for people is not of the record.
  const { pending, ...after } = answer.body;
  expect([pending, JSON.parse(event?.detail ?? '')]).toEqual([null, { after }]);
  const byClientId = await authority.call('GET', `/v1/identities/${answer.body.client_id}`);
  const { risk, ...same } = byClientId.body;
  expect(same).toEqual(answer.body);
  expect(risk).toEqual({ score: expect.any(Number), band: 'low' });
});

test('a client_id is given out once, for ever', async () => {
  const body = identityBody('a', { client_id: 'payments' });
  const first = await authority.call('POST', '/v1/identities', { body });
  await authority.call('POST', '/v1/identities/payments/decommission', { body: { reason: 'over' } });
  const second = await authority.call('POST', '/v1/identities', { body });
  expect(second.status).toBe(409);
  expect(second.body).toMatchObject({
    type: 'https://countersign.dev/problems/already_exists',
    existing: first.body.id,
    request_id: second.requestId,
  });
});

test('an end in the past or beyond ten years is no end', async () => {
  for (const expires_at of ['2026-11-21T11:59:59Z', '2036-12-01T00:00:00Z']) {
    const answer = await authority.call('POST', '/v1/identities', {
      body: identityBody('a', { expires_at }),
    });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: 'validation_failed', errors: [{ pointer: '/expires_at' }] });
  }
});

test('a patch changes what it names, keeps the rest, and takes away with null', async () => {
  const { body: made } = await authority.call('POST', '/v1/identities', { body: identityBody('a') });
  const path = `/v1/identities/${made.id}`;
  const answer = await authority.call('PATCH', path, {
    body: { purpose: 'changed', owner: { team: null } },
    headers: { 'If-Match': '"1"', 'Content-Type': 'application/merge-patch+json' },
  });
  expect(answer.status, answer.text).toBe(200);
  expect(answer.body).toMatchObject({
    purpose: 'changed',
    name: 'a',
    owner: { person: 'ada', backup: 'bea', team: null },
    version: 2,
  });
  expect(answer.headers['etag']).toBe('"2"');
});

test('a patch that changes nothing makes no version and no event', async () => {
  const { body: made } = await authority.call('POST', '/v1/identities', { body: identityBody('a') });
  const answer = await authority.call('PATCH', `/v1/identities/${made.id}`, {
    body: { name: 'a' },
    headers: { 'If-Match': '*' },
  });
  expect(answer.body.version).toBe(1);
  expect(types(answer.requestId)).toEqual([]);
});

test('the past can be asked for', async () => {
  const { body: made } = await authority.call('POST', '/v1/identities', { body: identityBody('a') });
  const before = new Date(authority.clock.now()).toISOString();
  authority.clock.advance(60_000);
  await authority.call('POST', `/v1/identities/${made.id}/suspend`, { body: { reason: 'holiday' } });
  const then = await authority.call('GET', `/v1/identities/${made.id}?as_of=${before}`);
  expect(then.body.state).toBe('active');
  const earlier = await authority.call('GET', `/v1/identities/${made.id}?as_of=2020-01-01T00:00:00Z`);
  expect(earlier.status).toBe(404);
});

test('suspending stops tokens through a cut-off, and resuming does not bring them back', async () => {
  const { body: made } = await authority.call('POST', '/v1/identities', { body: identityBody('a') });
  const stopped = await authority.call('POST', `/v1/identities/${made.id}/suspend`, {
    body: { reason: 'odd' },
  });
  expect(stopped.body).toMatchObject({ state: 'suspended', state_reason: 'odd', security_stop: false });
  expect(types(stopped.requestId)).toEqual(['identity.suspended', 'cutoff.ordered']);
  const again = await authority.call('POST', `/v1/identities/${made.id}/suspend`, {
    body: { reason: 'odd' },
  });
  expect(again.status).toBe(200);
  expect(types(again.requestId)).toEqual([]);
  const resumed = await authority.call('POST', `/v1/identities/${made.id}/resume`, {
    body: { reason: 'ok' },
  });
  expect(resumed.body.state).toBe('active');
  const { body: cutoffs } = await authority.call('GET', '/v1/cutoffs');
  expect(cutoffs.items).toMatchObject([{ kind: 'identity', target: made.client_id, reason: 'odd' }]);
});

test('a draft is submitted, and only people approve it', async () => {
  const { body: made } = await authority.call('POST', '/v1/identities', {
    body: identityBody('a', { state: 'draft' }),
  });
  const path = `/v1/identities/${made.id}`;
  expect((await authority.call('POST', `${path}/submit`)).body.state).toBe('requested');
  for (const verb of ['approve', 'reject']) {
    const answer = await authority.call('POST', `${path}/${verb}`, { body: {} });
    expect([answer.status, answer.body.code]).toEqual([403, 'needs_people']);
  }
  expect((await authority.call('POST', `${path}/activate`)).body.code).toBe('illegal_transition');
});

test('the built-in admin cannot be decommissioned', async () => {
  const answer = await authority.call('POST', '/v1/identities/admin/decommission', { body: { reason: 'x' } });
  expect([answer.status, answer.body.code]).toEqual([409, 'built_in']);
});

test('lists are filtered, paged without gap or repeat, and end with null', async () => {
  for (let i = 0; i < 5; i++) {
    await authority.call('POST', '/v1/identities', {
      body: identityBody(`n${i}`, { kind: i % 2 === 0 ? 'job' : 'service', client_id: `n${i}` }),
    });
  }
  const seen: string[] = [];
  let cursor = '';
  do {
    const { body } = await authority.call('GET', `/v1/identities?limit=2${cursor}`);
    seen.push(...body.items.map((item: { client_id: string }) => item.client_id));
    cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`;
  } while (cursor !== '');
  expect(seen.toSorted()).toEqual(['admin', 'n0', 'n1', 'n2', 'n3', 'n4']);
  const jobs = await authority.call('GET', '/v1/identities?kind=job');
  expect(jobs.body.items).toHaveLength(3);
  expect((await authority.call('GET', '/v1/identities?text=N3')).body.items).toHaveLength(1);
  expect(
    (await authority.call('GET', '/v1/identities?owner_person=ada&state=active')).body.items,
  ).toHaveLength(5);
});
