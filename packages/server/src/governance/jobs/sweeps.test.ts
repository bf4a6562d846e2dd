import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  accessBody,
  type Authority,
  identityBody,
  openAuthority,
  resourceServerBody,
} from '../../../test/authority.ts';
import { changed } from '../../storage/contract/records.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import { suspendInactiveJob } from './suspend-inactive.ts';
import { sweepEndsJob } from './sweep-ends.ts';
import { sweepIdentitiesJob } from './sweep-identities.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const never = new AbortController().signal;

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const create = async (client_id: string, change: object = {}): Promise<IdentityRecord> => {
  const made = await authority.call('POST', '/v1/identities', {
    body: identityBody(client_id, { client_id, ...change }),
  });
  expect(made.status, made.text).toBe(201);
  return await read(client_id);
};
const read = async (client_id: string): Promise<IdentityRecord> =>
  (await authority.storage.identities.byClientId(client_id)) as IdentityRecord;
const told = (type: string): number => authority.log.events.filter((event) => event.type === type).length;
const inDays = (days: number): string => new Date(authority.clock.now() + days * DAY).toISOString();
const post = (client_id: string, verb: string, body: object = { reason: 'x' }) =>
  authority.call('POST', `/v1/identities/${client_id}/${verb}`, { body });

test('an identity past its end is suspended as expired, cut off, and works again once it is extended', async () => {
  await create('a', { expires_at: inDays(5) });
  const job = sweepIdentitiesJob(authority.deps);
  authority.clock.advance(5 * DAY - 1000);
  await job.run(never);
  expect((await read('a')).state).toBe('active');
  const cutoffs = await authority.storage.cutoffs.head();
  authority.clock.advance(1000);
  await job.run(never);
  expect(await read('a')).toMatchObject({ state: 'suspended', stateReason: 'expired' });
  expect(await authority.storage.cutoffs.head()).toBe(cutoffs + 1);
  expect(told('identity.suspended')).toBe(1);
  expect((await post('a', 'resume')).body).toMatchObject({ code: 'illegal_transition' });
  const patched = await authority.call('PATCH', '/v1/identities/a', {
    body: { expires_at: inDays(20) },
    headers: { 'If-Match': '*' },
  });
  expect(patched.status, patched.text).toBe(200);
  expect((await post('a', 'resume')).body).toMatchObject({ state: 'active' });
  await job.run(never);
  expect((await read('a')).state).toBe('active');
});

test('after an outage of days each is done once, however many nodes look', async () => {
  for (const id of ['a', 'b', 'c']) await create(id, { expires_at: inDays(5) });
  authority.clock.advance(25 * DAY);
  const jobs = [sweepIdentitiesJob(authority.deps), sweepIdentitiesJob(authority.deps)];
  await Promise.all(jobs.map((job) => job.run(never)));
  await Promise.all(jobs.map((job) => job.run(never)));
  expect(told('identity.suspended')).toBe(3);
  expect((await read('c')).version).toBe(2);
});

test('a request that nobody decides is rejected after 7 days, an approval that nobody uses lapses after 14', async () => {
  await create('asked', { state: 'draft' });
  await create('approved', { state: 'draft' });
  await create('old', { state: 'draft', expires_at: inDays(3) });
  await post('asked', 'submit', {});
  await post('approved', 'submit', {});
  const record = await read('approved');
  await authority.storage.identities.replace(changed(record, { state: 'approved' }));
  const job = sweepIdentitiesJob(authority.deps);
  // What is changed meanwhile makes no difference: it is the state that stands for so long.
  authority.clock.advance(6 * DAY);
  await authority.call('PATCH', '/v1/identities/asked', {
    body: { purpose: 'y' },
    headers: { 'If-Match': '*' },
  });
  await job.run(never);
  expect([(await read('asked')).state, (await read('old')).state]).toEqual(['requested', 'lapsed']);
  authority.clock.advance(DAY);
  await job.run(never);
  expect(await read('asked')).toMatchObject({
    state: 'rejected',
    stateReason: 'nobody decided within 7 days',
  });
  expect((await read('approved')).state).toBe('approved');
  authority.clock.advance(7 * DAY);
  await job.run(never);
  expect((await read('approved')).state).toBe('lapsed');
});

test('credentials and accesses past their end say so, once, and do not come back', async () => {
  await create('a');
  await authority.call('POST', '/v1/resource-servers', {
    body: resourceServerBody('https://x.test', ['read']),
  });
  const { body: credential } = await post('a', 'credentials', {
    type: 'client_secret',
    expires_at: inDays(3),
  });
  const asked = accessBody('a', 'https://x.test', ['read'], { expires_at: inDays(3) });
  const { body: access } = await authority.call('POST', '/v1/access', { body: asked });
  const job = sweepEndsJob(authority.deps);
  await job.run(never);
  expect([told('credential.expired'), told('access.expired')]).toEqual([0, 0]);
  authority.clock.advance(4 * DAY);
  await Promise.all([job.run(never), sweepEndsJob(authority.deps).run(never)]);
  await job.run(never);
  expect([told('credential.expired'), told('access.expired')]).toEqual([1, 1]);
  const paths = [`/v1/credentials/${credential.id}`, `/v1/access/${access.id}`];
  for (const path of paths) {
    expect((await authority.call('GET', path)).body).toMatchObject({ state: 'expired' });
    const longer = { body: { expires_at: inDays(9) }, headers: { 'If-Match': '*' } };
    expect((await authority.call('PATCH', path, longer)).body).toMatchObject({ code: 'illegal_transition' });
  }
  const again = await authority.call('POST', '/v1/access', { body: { ...asked, expires_at: inDays(9) } });
  expect(again.status, again.text).toBe(201);
});

/** A job that has run once, as at the start, and is due again. */
async function inactivityJob(inactivity: 'suspend' | 'report' = 'suspend') {
  const job = suspendInactiveJob({ ...authority.deps, inactivity });
  await job.run(never);
  return job;
}

test('who was not used for its window is suspended as inactive; who was, may be quiet, or is looked after, is not', async () => {
  const far = { expires_at: inDays(3000) };
  for (const [id, change] of Object.entries({
    quiet: {},
    used: {},
    monthly: { cadence: 'monthly' },
    whenever: { cadence: 'on_demand' },
    guarded: { sensitivity: 3 },
    young: {},
  })) {
    if (id !== 'young') await create(id, { ...far, ...change });
  }
  const { body: secret } = await post('used', 'credentials', { type: 'client_secret' });
  const job = await inactivityJob();
  const states = async () =>
    Object.fromEntries(
      (await authority.storage.identities.list({}, { limit: 100 })).items.map(({ clientId, state }) => [
        clientId,
        state,
      ]),
    );
  for (let day = 1; day <= 31; day++) {
    authority.clock.advance(DAY);
    if (day === 20) await authority.storage.credentialUse.note(secret.id, authority.clock.now());
    if (day === 25) await create('young', far);
    await job.run(never);
    if (day === 29) expect(await states()).toMatchObject({ quiet: 'active' });
  }
  const stays = { used: 'active', monthly: 'active', whenever: 'active', guarded: 'active', young: 'active' };
  expect(await states()).toMatchObject({ ...stays, quiet: 'suspended', admin: 'active' });
  expect(await read('quiet')).toMatchObject({ stateReason: 'inactive' });
  // Back at work it has a whole window again.
  await post('quiet', 'resume');
  for (let day = 32; day <= 63; day++) {
    authority.clock.advance(DAY);
    await job.run(never);
    if (day === 60) expect(await states()).toMatchObject({ quiet: 'active', monthly: 'active' });
  }
  expect(await states()).toMatchObject({ quiet: 'suspended', monthly: 'suspended', guarded: 'active' });
});

test('what nobody could have seen is no inactivity: after a pause of the authority the window begins anew', async () => {
  await create('quiet', { expires_at: inDays(3000) });
  const job = await inactivityJob();
  authority.clock.advance(40 * DAY);
  await job.run(never);
  expect((await read('quiet')).state).toBe('active');
  for (let day = 1; day <= 31; day++) {
    authority.clock.advance(DAY);
    await job.run(never);
  }
  expect((await read('quiet')).state).toBe('suspended');
});

test('where inactivity is only reported, nobody is suspended', async () => {
  await create('quiet', { expires_at: inDays(3000) });
  const job = await inactivityJob('report');
  for (let day = 1; day <= 40; day++) {
    authority.clock.advance(DAY);
    await job.run(never);
  }
  expect((await read('quiet')).state).toBe('active');
});
