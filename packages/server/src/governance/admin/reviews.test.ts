import { operations } from '@countersign/admin-api';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  accessBody,
  type Answer,
  type Authority,
  identityBody,
  openAuthority,
  operator,
  START,
} from '../../../test/authority.ts';
import { accessRecord, identityRecord } from '../../storage/contract/records.ts';
import { lookForFindingsJob } from '../jobs/look-for-findings.ts';
import { runReviewsJob } from '../jobs/run-reviews.ts';

const FRAUD = 'https://fraud.test/api';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const never = new AbortController().signal;

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
  await authority.call('POST', '/v1/resource-servers', {
    body: {
      identifier: FRAUD,
      name: 'Fraud',
      scopes: [{ name: 'read', sensitivity: 1 }, { name: 'write', sensitivity: 3 }, { name: 'usage:write' }],
    },
  });
  for (const [name, owner] of [
    ['a', { person: 'zoe', backup: 'bea' }],
    ['b', { person: 'zoe', backup: 'bea' }],
    ['c', { person: 'zoe' }],
  ] as const) {
    const body = identityBody(name, { client_id: name, environment: 'prod', owner });
    expect((await authority.call('POST', '/v1/identities', { body })).status).toBe(201);
    const access = accessBody(name, FRAUD, ['read', 'write']);
    expect((await authority.call('POST', '/v1/access', { body: access })).status).toBe(201);
  }
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const iso = (at: number): string => new Date(at).toISOString();
const plan = (change: object = {}) => ({
  name: 'spring',
  query: { resource_server: FRAUD },
  reviewers: ['backup'],
  due_at: iso(authority.clock.now() + 3 * DAY),
  reminders: ['2d', '1d'],
  fallback_for: '1d',
  ...change,
});
const create = (change: object = {}, query = ''): Promise<Answer> =>
  authority.call('POST', `/v1/reviews${query}`, { body: plan(change) });
const person = (handle: string, roles: Parameters<Authority['personToken']>[1] = ['reviewer']) =>
  authority.personToken(handle, roles);

async function open(change: object = {}): Promise<string> {
  const made = await create(change);
  expect(made.status, made.text).toBe(201);
  const started = await authority.call('POST', `/v1/reviews/${made.body.id}/start`);
  expect(started.status, started.text).toBe(200);
  return made.body.id;
}
const itemsOf = async (id: string, query = ''): Promise<Answer['body'][]> => {
  const answer = await authority.call('GET', `/v1/reviews/${id}/items${query}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.body.items;
};
const itemOf = async (id: string, client: string): Promise<Answer['body']> =>
  (await itemsOf(id)).find((item) => item.client_id === client);
async function decide(id: string, client: string, token: string, body: object): Promise<Answer> {
  const item = await itemOf(id, client);
  return await authority.call('POST', `/v1/reviews/${id}/decisions`, {
    token,
    body: { item: item.id, version: item.version, ...body },
  });
}
const run = (): Promise<void> => runReviewsJob({ ...authority.deps, mostItems: 100 }).run(never);
const told = (type: string) => authority.log.events.filter((event) => event.type === type);
const stateOf = async (item: Answer['body']): Promise<string> =>
  (await authority.call('GET', `/v1/access/${item.access}`)).body.state;

describe('a campaign', () => {
  test('says in a dry run how much it asks, and whom', async () => {
    const dry = await create({}, '?dry_run=true');
    expect(dry.status, dry.text).toBe(200);
    expect(dry.body.review).toEqual({
      items: 3,
      too_many: false,
      assigned: 3,
      unused: 0,
      reviewers: [
        { reviewer: 'person:bea', items: 2 },
        { reviewer: 'role:reviewer', items: 1 },
      ],
      to_fallback: 1,
    });
    expect((await authority.call('GET', '/v1/reviews')).body.items).toEqual([]);
  });

  test('asks about what is so at its start, with the use of each scope or why it is unknown', async () => {
    const id = await open();
    const shown = await authority.call('GET', `/v1/reviews/${id}`);
    expect(operations['reviews.get'].response.parse(shown.body)).toEqual(shown.body);
    expect(shown.body).toMatchObject({ state: 'open', items: 3, progress: { pending: 3 } });
    const items = await itemsOf(id);
    expect(items.map((item) => [item.client_id, item.version, item.reviewer].join(' ')).toSorted()).toEqual([
      'a 1 person:bea',
      'b 1 person:bea',
      'c 1 role:reviewer',
    ]);
    expect(items[0].usage).toMatchObject({
      state: 'unknown',
      unknown_because: { read: 'its resource server told nothing of this time' },
    });
    expect(operations['reviews.items'].response.shape.items.parse(items)).toEqual(items);
    expect(told('review.opened')).toHaveLength(1);
  });

  test.each([
    ['scope', { query: { scope: 'write', resource_server: FRAUD } }, 3],
    ['environment', { query: { environments: ['dev'] } }, 0],
    ['kind', { query: { kinds: ['service'], resource_server: FRAUD } }, 3],
    ['sensitivity', { query: { min_sensitivity: 3, resource_server: FRAUD } }, 3],
    ['owner', { query: { owner: 'ZOE' } }, 3],
    ['team', { query: { team: 'nobody' } }, 0],
    ['no use', { query: { not_used_for: '30d', resource_server: FRAUD } }, 3],
  ])('finds what its query says: %s', async (_what, change, found) => {
    const dry = await create(change, '?dry_run=true');
    expect(dry.body.review.items, dry.text).toBe(found);
  });

  test('is planned by a machine only where it could take away itself what silence suspends', async () => {
    const token = await operator(authority, 'planner', ['reviews:write', 'reviews:read', 'access:write']);
    const asks = (on_silence: string) =>
      authority.call('POST', '/v1/reviews', { token, body: plan({ on_silence }) });
    expect((await asks('suspend_identity')).body.code).toBe('insufficient_scope');
    expect((await asks('suspend_access')).status).toBe(201);
    const less = await operator(authority, 'less', ['reviews:write']);
    const answer = await authority.call('POST', '/v1/reviews', { token: less, body: plan() });
    expect([answer.status, answer.body.code]).toEqual([403, 'insufficient_scope']);
  });

  test('is refused where it could not be kept', async () => {
    const now = authority.clock.now();
    for (const change of [
      { due_at: iso(now + HOUR) },
      { due_at: iso(now + 500 * DAY) },
      { fallback_for: '91d' },
      { use_within: '401d' },
      { reviewers: [] },
      { reviewers: ['everybody'] },
      { reviewers: ['owner'], not_owner: true },
      { query: { colour: 'red' } },
      { on_silence: 'delete' },
    ]) {
      const answer = await create(change);
      expect(answer.status, JSON.stringify(change)).toBe(400);
    }
    await authority.call('POST', '/v1/people', { body: { handle: 'gone', name: 'Gone', status: 'left' } });
    expect((await create({ reviewers: ['person:Gone'] })).body.code).toBe('owner_left');
    const unknown = await create({ query: { resource_server: 'https://nobody.test' } });
    expect(unknown.body.code).toBe('unknown_reference');
  });

  test('of which more would be asked than people can is not started', async () => {
    const made = await create({ opens_at: iso(authority.clock.now() + DAY), query: {} });
    authority.clock.advance(DAY);
    await runReviewsJob({ ...authority.deps, mostItems: 2 }).run(never);
    const shown = await authority.call('GET', `/v1/reviews/${made.body.id}`);
    expect(shown.body).toMatchObject({
      state: 'closed',
      state_reason: 'more than 2 accesses match: narrow the query',
    });
    const [item] = await itemsOf(made.body.id);
    expect(await stateOf(item)).toBe('active');
  });

  test('that is large is filled in pages, and decided on when all of it is there', async () => {
    const resourceServer = await authority.storage.resourceServers.byIdentifier(FRAUD);
    const times = { createdAt: START, updatedAt: START, expiresAt: START + 20 * DAY };
    await authority.storage.transaction(async (stores) => {
      for (let count = 0; count < 105; count++) {
        const identity = identityRecord({ clientId: `m${count}`, environment: 'staging', ...times });
        await stores.identities.insert(identity);
        await stores.access.insert(accessRecord(identity.id, resourceServer?.id ?? '', times));
      }
    });
    const id = await open({ query: { environments: ['staging'] }, reviewers: ['role:reviewer'] });
    expect((await authority.call('GET', `/v1/reviews/${id}`)).body).toMatchObject({
      state: 'starting',
      items: 50,
    });
    const [{ client_id: some }] = await itemsOf(id);
    const early = await decide(id, some, await person('rex'), { decision: 'keep' });
    expect(early.body.code).toBe('illegal_transition');
    await runReviewsJob({ ...authority.deps, mostItems: 1000 }).run(never);
    expect((await authority.call('GET', `/v1/reviews/${id}`)).body).toMatchObject({
      state: 'open',
      items: 105,
    });
  });
});

describe('a decision', () => {
  test('is made by the person it is asked of, and by no machine, owner or stranger', async () => {
    const id = await open({ not_owner: true, reviewers: ['role:reviewer'] });
    const keep = { decision: 'keep' };
    expect((await decide(id, 'a', await authority.tokenFor('admin'), keep)).body.code).toBe('needs_people');
    expect((await decide(id, 'a', await person('eve', ['auditor']), keep)).body.code).toBe(
      'insufficient_scope',
    );
    expect((await decide(id, 'a', await person('eve', ['owner']), keep)).body.code).toBe('not_an_approver');
    expect((await decide(id, 'a', await person('zoe'), keep)).body.code).toBe('self_approval');
    expect((await decide(id, 'a', await person('bea'), keep)).body.code).toBe('self_approval');
    const kept = await decide(id, 'a', await person('rex'), keep);
    expect(kept.status, kept.text).toBe(200);
    expect(kept.body).toMatchObject({ state: 'kept', decided_by: 'rex', scopes_after: ['read', 'write'] });
    expect(operations['reviews.decide'].response.parse(kept.body)).toEqual(kept.body);
    expect((await decide(id, 'a', await person('sue'), keep)).body.code).toBe('illegal_transition');
    expect(told('review_item.decided')[0]).toMatchObject({ person: 'rex' });
  });

  test('is not made by whoever asked for the access', async () => {
    const byHand = await authority.call('POST', '/v1/identities', {
      body: identityBody('d', { client_id: 'd', environment: 'staging' }),
    });
    const asked = await authority.call('POST', '/v1/access', {
      body: accessBody(byHand.body.client_id, FRAUD, ['read']),
      token: await person('oli', ['operator']),
    });
    expect(asked.status, asked.text).toBe(201);
    const query = { environments: ['staging'] };
    const first = await open({ query, reviewers: ['person:oli'], fallback: 'person:rex' });
    expect((await itemOf(first, 'd')).reviewer).toBe('person:rex');
    const second = await open({ query, reviewers: ['role:reviewer'] });
    const own = await decide(second, 'd', await person('oli'), { decision: 'keep' });
    expect(own.body.code).toBe('self_approval');
  });

  test('that reduces or revokes is carried out with its order, in one transaction', async () => {
    const id = await open();
    const bea = await person('bea');
    const reduced = await decide(id, 'a', bea, {
      decision: 'reduce',
      scopes: ['read'],
      comment: 'never writes',
    });
    expect(reduced.status, reduced.text).toBe(200);
    expect(reduced.body).toMatchObject({
      state: 'reduced',
      scopes: ['read', 'write'],
      scopes_after: ['read'],
      remediation: { state: 'pending', cutoff: expect.stringMatching(/^cut_/) },
    });
    const access = await authority.call('GET', `/v1/access/${reduced.body.access}`);
    expect(access.body).toMatchObject({ state: 'active', scopes: ['read'], version: 2 });
    const [order] = await authority.storage.cutoffs.after(0, 10);
    expect(order).toMatchObject({ kind: 'identity', target: 'a', orderedBy: 'person:bea' });
    expect((await authority.storage.identities.byClientId('a'))?.state).toBe('active');
    const revoked = await decide(id, 'b', bea, { decision: 'revoke', comment: 'is not needed' });
    expect(await stateOf(revoked.body)).toBe('revoked');
  });

  test('names scopes that are left, a comment, and nothing that it does not need', async () => {
    const id = await open();
    const bea = await person('bea');
    for (const [body, status] of [
      [{ decision: 'reduce', scopes: ['read', 'write'], comment: 'x' }, 422],
      [{ decision: 'reduce', scopes: ['other'], comment: 'x' }, 422],
      [{ decision: 'reduce', comment: 'x' }, 400],
      [{ decision: 'revoke' }, 400],
      [{ decision: 'keep', scopes: ['read'] }, 400],
      [{ decision: 'reassign', comment: 'x' }, 400],
    ] as const) {
      expect((await decide(id, 'a', bea, body)).status, JSON.stringify(body)).toBe(status);
    }
    expect((await itemOf(id, 'a')).state).toBe('pending');
  });

  test('ends tokens that are older than what lately made them shorter', async () => {
    const id = await open();
    const { access, client_id } = await itemOf(id, 'a');
    const body = { type: 'client_secret' };
    const made = await authority.call('POST', `/v1/identities/${client_id}/credentials`, { body });
    await authority.storage.credentialUse.note(made.body.id, authority.clock.now());
    // Use is noted once an hour: a token of ten minutes may be five minutes old.
    authority.clock.advance(65 * MINUTE);
    await authority.call('PATCH', `/v1/access/${access}`, {
      body: { token_lifetime: 60 },
      headers: { 'If-Match': '*' },
    });
    const bea = await person('bea');
    await decide(id, 'a', bea, { decision: 'revoke', comment: 'no' });
    const revoked = await decide(id, 'a', bea, { decision: 'revoke', comment: 'no' });
    expect(revoked.status, revoked.text).toBe(200);
    expect(revoked.body.remediation.cutoff).toMatch(/^cut_/);
  });

  test('on what was changed since is refused, and the item is what is so now', async () => {
    const id = await open();
    const before = await itemOf(id, 'a');
    await authority.call('PATCH', `/v1/access/${before.access}`, {
      body: { scopes: ['write'] },
      headers: { 'If-Match': '*' },
    });
    expect(await itemOf(id, 'a')).toMatchObject({ version: 1, changed: true, scopes: ['read', 'write'] });
    const bea = await person('bea');
    const stale = await decide(id, 'a', bea, { decision: 'keep' });
    expect(stale.body).toMatchObject({ status: 409, code: 'content_changed' });
    expect(await itemOf(id, 'a')).toMatchObject({ version: 2, changed: false, scopes: ['write'] });
    expect(told('review_item.refreshed')).toHaveLength(1);
    expect((await decide(id, 'a', bea, { decision: 'keep' })).status).toBe(200);
    await authority.call('DELETE', `/v1/access/${(await itemOf(id, 'b')).access}`, {
      headers: { 'If-Match': '*' },
    });
    expect((await decide(id, 'b', bea, { decision: 'keep' })).body.code).toBe('content_changed');
    expect((await itemOf(id, 'b')).state).toBe('gone');
  });

  test('on what somebody asked for since is not made by them, and not handed on to them', async () => {
    const id = await open({ reviewers: ['role:reviewer'] });
    const { access } = await itemOf(id, 'c');
    await authority.call('POST', '/v1/approval-rules', {
      body: { name: 'all', subject: 'access', match: {}, steps: [{ quorum: 1, roles: ['admin'] }] },
    });
    const body = { expires_at: iso(authority.clock.now() + 20 * DAY) };
    await authority.call('PATCH', `/v1/access/${access}`, {
      body: { scopes: ['read', 'write', 'usage:write'], ...body },
      headers: { 'If-Match': '*' },
      token: await person('oli', ['operator', 'reviewer']),
    });
    const { pending } = (await authority.call('GET', `/v1/access/${access}`)).body;
    const approved = await authority.call('POST', `/v1/access/${access}/approve`, {
      body: { content_hash: pending.content_hash, comment: 'is right' },
      token: await person('moe', ['admin']),
    });
    expect(approved.status, approved.text).toBe(200);
    const oli = await person('oli', ['operator', 'reviewer']);
    const keep = { decision: 'keep' };
    expect((await decide(id, 'c', oli, keep)).body.code).toBe('content_changed');
    expect((await decide(id, 'c', oli, keep)).body.code).toBe('self_approval');
    const rex = await person('rex');
    const on = { decision: 'reassign', to: 'oli', comment: 'knows it' };
    expect((await decide(id, 'c', rex, on)).body.code).toBe('self_approval');
    expect((await decide(id, 'c', rex, keep)).status).toBe(200);
  });

  test('may be handed on, but not to who asked or has left, and not for ever', async () => {
    await authority.call('POST', '/v1/people', { body: { handle: 'gone', name: 'Gone', status: 'left' } });
    const id = await open({ not_owner: true, reviewers: ['person:rex'] });
    const to = (handle: string) => ({ decision: 'reassign', to: handle, comment: 'knows it better' });
    const rex = await person('rex');
    expect((await decide(id, 'a', rex, to('gone'))).body.code).toBe('owner_left');
    expect((await decide(id, 'a', rex, to('zoe'))).body.code).toBe('self_approval');
    expect((await decide(id, 'a', rex, to('sue'))).body).toMatchObject({
      reviewer: 'person:sue',
      state: 'pending',
    });
    expect((await decide(id, 'a', rex, { decision: 'keep' })).body.code).toBe('not_an_approver');
    expect((await decide(id, 'a', await person('amy', ['admin']), to('tom'))).status).toBe(200);
    expect((await decide(id, 'a', await person('tom'), to('sue'))).status).toBe(200);
    expect((await decide(id, 'a', await person('sue'), to('tom'))).status).toBe(200);
    expect((await decide(id, 'a', await person('tom'), to('sue'))).status).toBe(200);
    expect((await decide(id, 'a', await person('sue'), to('tom'))).body.code).toBe('limit_reached');
  });

  test('has a dry run that changes nothing', async () => {
    const id = await open();
    const item = await itemOf(id, 'a');
    const dry = await authority.call('POST', `/v1/reviews/${id}/decisions?dry_run=true`, {
      token: await person('bea'),
      body: { item: item.id, version: 1, decision: 'revoke', comment: 'x' },
    });
    expect(dry.body.changes).toMatchObject([
      { op: 'delete', kind: 'Access', name: `a → ${FRAUD}` },
      { op: 'create', kind: 'Cutoff' },
      { op: 'update', kind: 'ReviewItem', after: { state: 'revoked' } },
    ]);
    expect((await itemOf(id, 'a')).state).toBe('pending');
  });

  test('is listed for whom it waits', async () => {
    const id = await open();
    const mine = async (token: string) => {
      const answer = await authority.call('GET', `/v1/reviews/${id}/items?for=me`, { token });
      const { items } = answer.body as { items: { client_id: string }[] };
      return items.map((item) => item.client_id).toSorted();
    };
    expect(await mine(await person('BEA', ['owner']))).toEqual(['a', 'b']);
    expect(await mine(await person('rex'))).toEqual(['c']);
    const machine = await authority.call('GET', `/v1/reviews/${id}/items?for=me`);
    expect(machine.body.code).toBe('needs_people');
  });
});

describe('time', () => {
  test('reminds, gives what is overdue to the fallback, then suspends what nobody decided on; people give it back', async () => {
    const id = await open({ reviewers: ['person:rex'], fallback: 'person:fay' });
    const rex = await person('rex');
    await decide(id, 'a', rex, { decision: 'keep' });
    await run();
    authority.clock.advance(2 * DAY);
    await run();
    await run();
    expect(told('review.reminder')).toHaveLength(1);
    expect(JSON.parse(told('review.reminder')[0]?.detail ?? '').after).toMatchObject({
      pending: 2,
      waiting: [{ reviewer: 'person:rex', items: 2 }],
    });
    const fay = () => person('fay');
    expect((await decide(id, 'b', await fay(), { decision: 'keep' })).body.code).toBe('not_an_approver');
    authority.clock.advance(DAY);
    await run();
    expect((await authority.call('GET', `/v1/reviews/${id}`)).body.state).toBe('overdue');
    expect(told('review.overdue')).toHaveLength(1);
    expect((await decide(id, 'b', await fay(), { decision: 'keep' })).status).toBe(200);
    authority.clock.advance(DAY - 1);
    await run();
    const silent = await itemOf(id, 'c');
    expect(silent.state).toBe('pending');
    authority.clock.advance(1);
    await Promise.all([run(), run()]);
    expect(await itemOf(id, 'c')).toMatchObject({ state: 'silent', decided_by: 'countersign' });
    expect(told('access.suspended')).toHaveLength(1);
    expect(await stateOf(silent)).toBe('suspended');
    const c = await authority.storage.identities.byClientId('c');
    expect(await authority.storage.access.activeOfIdentity(c?.id ?? '')).toEqual([]);

    const again = await authority.call('POST', '/v1/access', { body: accessBody('c', FRAUD, ['read']) });
    expect(again.body).toMatchObject({ code: 'already_exists', existing: silent.access });
    const restore = async (token?: string) =>
      await authority.call('POST', `/v1/access/${silent.access}/restore`, {
        body: { reason: 'is needed' },
        ...(token === undefined ? {} : { token }),
      });
    expect((await restore()).body.code).toBe('needs_people');
    const restored = await restore(await person('pia', ['approver']));
    expect(restored.body).toMatchObject({ state: 'active', scopes: ['read', 'write'] });
    expect((await restore(await person('pia', ['approver']))).body.code).toBe('illegal_transition');
  });

  test('opens a campaign by itself, and completes it when all is decided and looked after', async () => {
    const made = await create({ opens_at: iso(authority.clock.now() + 2 * DAY) });
    await run();
    expect((await authority.call('GET', `/v1/reviews/${made.body.id}`)).body.state).toBe('planned');
    authority.clock.advance(2 * DAY);
    await run();
    const { id } = made.body;
    expect((await authority.call('GET', `/v1/reviews/${id}`)).body.state).toBe('open');
    for (const client of ['a', 'b']) await decide(id, client, await person('bea'), { decision: 'keep' });
    await decide(id, 'c', await person('rex'), { decision: 'keep' });
    authority.clock.advance(HOUR);
    await run();
    const done = await authority.call('GET', `/v1/reviews/${id}`);
    expect(done.body).toMatchObject({ state: 'completed', progress: { kept: 3 } });
    await run();
    expect(told('review.completed')).toHaveLength(1);
  });

  test('plans a campaign that repeats once more when it opens, as long as it was', async () => {
    expect((await create({ repeat_every: '2d' })).status).toBe(400);
    const id = await open({ repeat_every: '90d' });
    const { items } = (await authority.call('GET', '/v1/reviews?state=planned')).body;
    const now = authority.clock.now();
    expect(items).toMatchObject([
      { name: 'spring', opens_at: iso(now + 90 * DAY), due_at: iso(now + 93 * DAY), repeat_every: '90d' },
    ]);
    authority.clock.advance(90 * DAY);
    await run();
    const next = await authority.storage.reviews.byId(items[0].id);
    expect(next?.state).toBe('open');
    expect((await authority.storage.reviews.list({ state: 'planned' }, { limit: 5 })).items).toHaveLength(1);
    expect((await authority.storage.reviews.byId(id))?.state).toBe('overdue');
  });

  test('suspends the identity where the campaign says so, and nothing once it is closed', async () => {
    const id = await open({ on_silence: 'suspend_identity', query: { resource_server: FRAUD } });
    const closed = await open();
    const close = (token?: string) =>
      authority.call('POST', `/v1/reviews/${closed}/close`, {
        body: { reason: 'a mistake' },
        ...(token === undefined ? {} : { token }),
      });
    expect((await close()).body.code).toBe('needs_people');
    expect((await close(await person('oli', ['operator']))).body.code).toBe('not_an_approver');
    expect((await close(await person('amy', ['admin']))).body.state).toBe('closed');
    expect((await decide(closed, 'a', await person('bea'), { decision: 'keep' })).body.code).toBe(
      'illegal_transition',
    );
    authority.clock.advance(3 * DAY);
    await run();
    authority.clock.advance(DAY);
    await run();
    expect((await authority.storage.identities.byClientId('a'))?.state).toBe('suspended');
    expect(await stateOf(await itemOf(id, 'a'))).toBe('active');
    expect((await itemsOf(closed)).every((item) => item.state === 'pending')).toBe(true);
  });

  test('does not suspend the last access by which the authority is administered', async () => {
    const id = await open({ query: { scope: 'access:write' } });
    authority.clock.advance(3 * DAY);
    await run();
    authority.clock.advance(DAY);
    await run();
    const admin = await itemOf(id, 'admin');
    expect(admin).toMatchObject({ state: 'silent', comment: expect.stringContaining('not suspended') });
    expect(await stateOf(admin)).toBe('active');
    expect(told('review_item.spared')).toHaveLength(1);
  });

  test('a suspended access ends at its end, and with its identity', async () => {
    const id = await open();
    authority.clock.advance(3 * DAY);
    await run();
    authority.clock.advance(DAY);
    await run();
    const item = await itemOf(id, 'a');
    expect(await stateOf(item)).toBe('suspended');
    await authority.call('POST', '/v1/identities/a/decommission', {
      body: { reason: 'x', now: true, force: true },
    });
    authority.clock.advance(40 * DAY);
    const { sweepIdentitiesJob } = await import('../jobs/sweep-identities.ts');
    const sweep = sweepIdentitiesJob(authority.deps);
    await sweep.run(never);
    await sweep.run(never);
    expect((await authority.storage.identities.byClientId('a'))?.state).toBe('decommissioned');
    expect((await authority.storage.access.byId(item.access))?.state).toBe('revoked');
  });
});

describe('what was taken away', () => {
  let seq = 0;
  beforeEach(async () => {
    seq = 0;
    await operator(authority, 'fraud-api', ['usage:write']);
    await authority.call('POST', '/v1/access', { body: accessBody('fraud-api', FRAUD, ['usage:write']) });
  });

  /** Tells of all the time until now. */
  async function report(from: number, rows: object[] = []): Promise<void> {
    const now = authority.clock.now();
    const answer = await authority.call('POST', '/v1/usage', {
      token: await authority.tokenFor('fraud-api'),
      body: {
        resource_server: FRAUD,
        instance: 'p1',
        boot: 'b1',
        seq: ++seq,
        from: iso(from),
        to: iso(now),
        rows,
      },
    });
    expect(answer.status, answer.text).toBe(200);
  }

  async function reduced(): Promise<{ id: string; item: Answer['body']; effectiveAt: number }> {
    const credential = await authority.call('POST', '/v1/identities/a/credentials', {
      body: { type: 'client_secret' },
    });
    const id = await open();
    const comment = 'never writes';
    const answer = await decide(id, 'a', await person('bea'), {
      decision: 'reduce',
      scopes: ['read'],
      comment,
    });
    const item = { ...answer.body, credential: credential.body.id };
    return { id, item, effectiveAt: Date.parse(item.remediation.effective_at) };
  }

  async function hours(count: number, rows: (hour: number) => object[] = () => []): Promise<void> {
    for (let hour = 0; hour < count; hour++) {
      const from = authority.clock.now();
      authority.clock.advance(HOUR);
      await report(from, rows(hour));
      await run();
    }
  }

  test('is verified when the resource server told all of the time since, without a single use', async () => {
    const { id } = await reduced();
    await hours(1);
    expect((await itemOf(id, 'a')).remediation.state).toBe('pending');
    await hours(2);
    expect((await itemOf(id, 'a')).remediation).toMatchObject({ state: 'verified', reason: null });
    expect(told('review_item.remediation_verified')).toHaveLength(1);
  });

  test('has failed when a call with it was let through, but not when one was refused or used what is left', async () => {
    const { id, item } = await reduced();
    const { access, credential } = item;
    await hours(2, (hour) => [
      { credential, access, scope: 'write', ok: hour === 0 ? 1 : 0, denied: 1 },
      { credential, access, scope: 'read', ok: 1, denied: 0 },
    ]);
    expect((await itemOf(id, 'a')).remediation).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('still let through: write at'),
    });
    const findings = lookForFindingsJob({
      ...authority.deps,
      inactivity: 'report',
      suspendedForMs: 30 * DAY,
      pace: { take: () => new Map() },
    });
    const open = async () => {
      await findings.run(never);
      authority.clock.advance(HOUR);
      await findings.run(never);
      return (await authority.call('GET', '/v1/findings?kind=removal_still_used&state=open')).body.items;
    };
    expect(await open()).toMatchObject([
      {
        client_id: 'a',
        severity: 'high',
        subject: { kind: 'access', id: access },
        reason: expect.any(String),
      },
    ]);
    await report(authority.clock.now() - HOUR);
    await hours(3);
    expect((await itemOf(id, 'a')).remediation).toMatchObject({
      state: 'verified',
      reason: expect.stringContaining('let through until'),
    });
    expect(await open()).toEqual([]);
  });

  test('is unverifiable where nobody tells, and where it was given again', async () => {
    const silent = await reduced();
    authority.clock.advance(2 * HOUR);
    await run();
    expect((await itemOf(silent.id, 'a')).remediation.state).toBe('pending');
    authority.clock.advance(DAY);
    await run();
    expect((await itemOf(silent.id, 'a')).remediation).toMatchObject({
      state: 'unverifiable',
      reason: 'its resource server does not report use',
    });
    await authority.call('PATCH', `/v1/access/${silent.item.access}`, {
      body: { scopes: ['read', 'write'] },
      headers: { 'If-Match': '*' },
    });
    const again = await reduced();
    await authority.call('PATCH', `/v1/access/${again.item.access}`, {
      body: { scopes: ['read', 'write'] },
      headers: { 'If-Match': '*' },
    });
    authority.clock.advance(2 * HOUR);
    await run();
    expect((await itemOf(again.id, 'a')).remediation).toMatchObject({
      state: 'unverifiable',
      reason: 'given again since: write',
    });
  });

  test('runs out with its tokens where the campaign says so, without an order', async () => {
    const id = await open({ tokens: 'run_out' });
    const comment = 'x';
    const answer = await decide(id, 'a', await person('bea'), { decision: 'revoke', comment });
    expect(answer.body.remediation).toMatchObject({
      cutoff: null,
      effective_at: iso(authority.clock.now() + 600_000),
    });
    expect(await authority.storage.cutoffs.head()).toBe(0);
  });
});

describe('the evidence', () => {
  test('is a sheet to who asks for one: no cell is a formula, and the next page has no header', async () => {
    const id = await open();
    await decide(id, 'a', await person('bea'), { decision: 'revoke', comment: '=HYPERLINK("http://x")' });
    const [first, second] = [
      await authority.call('GET', `/v1/reviews/${id}/report?format=csv&limit=2`),
      await authority.call('GET', `/v1/reviews/${id}/report?format=csv`),
    ];
    expect(second.headers).toMatchObject({ 'content-type': 'text/csv; charset=utf-8' });
    expect(second.headers['next-cursor']).toBeUndefined();
    expect(second.text).toContain(`"'=HYPERLINK(""http://x"")"`);
    const cursor = first.headers['next-cursor'];
    const rest = await authority.call('GET', `/v1/reviews/${id}/report?format=csv&limit=2&cursor=${cursor}`);
    expect(first.text + rest.text).toBe(second.text);
    expect(second.text.split('\r\n')).toHaveLength(5);
  });

  test('says how each reviewer reviewed', async () => {
    const id = await open({ reviewers: ['person:rex'] });
    const rex = await person('rex');
    for (const client of ['a', 'b']) {
      await decide(id, client, rex, { decision: 'keep' });
      authority.clock.advance(4000);
    }
    const last = await decide(id, 'c', rex, { decision: 'revoke', comment: 'x' });
    expect(last.status).toBe(200);
    await authority.call('DELETE', `/v1/access/${(await itemOf(id, 'a')).access}`, {
      headers: { 'If-Match': '*' },
    });
    const answer = await authority.call('GET', `/v1/reviews/${id}/quality`);
    expect(operations['reviews.quality'].response.parse(answer.body)).toEqual(answer.body);
    expect(answer.body.reviewers).toEqual([
      {
        reviewer: 'rex',
        decisions: 3,
        kept: 2,
        share_kept: 2 / 3,
        kept_unused: 0,
        kept_unknown: 2,
        without_comment: 2,
        median_seconds: 4,
        most_in_a_minute: 3,
        bulk: false,
        reversed: 1,
      },
    ]);
  });

  test('is who decided what, when, with which comment and on what basis', async () => {
    const id = await open();
    await decide(id, 'a', await person('bea'), { decision: 'revoke', comment: '=HYPERLINK("http://x")' });
    const page = await authority.call('GET', `/v1/reviews/${id}/report?limit=2`);
    expect(page.body).toMatchObject({ review: { id, name: 'spring' }, next_cursor: expect.any(String) });
    const answer = await authority.call('GET', `/v1/reviews/${id}/report`);
    expect(operations['reviews.report'].response.parse(answer.body)).toEqual(answer.body);
    expect(answer.body.items.find((item: { client_id: string }) => item.client_id === 'a')).toMatchObject({
      client_id: 'a',
      state: 'revoked',
      decided_by: 'bea',
      comment: '=HYPERLINK("http://x")',
      usage: { state: 'unknown' },
    });
  });
});
