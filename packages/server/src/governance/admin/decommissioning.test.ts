import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Answer, type Authority, identityBody, openAuthority } from '../../../test/authority.ts';
import { operations } from '@countersign/admin-api';
import { sweepIdentitiesJob } from '../jobs/sweep-identities.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const never = new AbortController().signal;

let authority: Authority;
let sweep: () => Promise<void>;
let secret: { readonly id: string };
beforeEach(async () => {
  authority = await openAuthority();
  const job = sweepIdentitiesJob(authority.deps);
  sweep = () => job.run(never);
  const expires_at = new Date(authority.clock.now() + 300 * DAY).toISOString();
  await call('POST', '/v1/identities', identityBody('x', { client_id: 'pay', expires_at }));
  secret = (await post('credentials', { type: 'client_secret' })).body;
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const call = (method: string, path: string, body?: unknown): Promise<Answer> =>
  authority.call(method, path, body === undefined ? {} : { body });
const post = (verb: string, body: object = { reason: 'x' }): Promise<Answer> =>
  call('POST', `/v1/identities/pay/${verb}`, body);
const shown = async () => {
  const answer = await call('GET', '/v1/identities/pay/decommissioning');
  expect(operations['decommissioning.get'].response.parse(answer.body)).toEqual(answer.body);
  return answer.body;
};
const state = async (): Promise<string> => (await call('GET', '/v1/identities/pay')).body.state;
const types = (): readonly string[] =>
  authority.log.events.flatMap(({ type }) => (/^(identity|cutoff)\./.test(type) ? [type] : [])).slice(2);
const at = (days: number, minutes = 0): string =>
  new Date(began + days * DAY + minutes * MINUTE).toISOString();
let began = 0;
async function decommission(body: object = {}): Promise<Answer> {
  began = authority.clock.now();
  const answer = await post('decommission', { reason: 'replaced', ...body });
  expect(answer.status, answer.text).toBe(200);
  return answer;
}

test('an end in phases: announced, carried out in time, each step once and told of', async () => {
  await decommission();
  expect(await shown()).toMatchObject({
    state: 'decommissioning',
    reason: 'replaced',
    plan: {
      phase: 'shadow',
      shadow_until: at(3),
      brown_outs: [3, 4, 5].map((day) => ({ from: at(day), to: at(day, 5) })),
      stop_at: at(6),
      ends_at: at(36),
      forced: false,
    },
    next: { what: 'brown_out', at: at(3) },
    refused_now: false,
    callers: [],
  });
  const head = await authority.storage.cutoffs.head();
  authority.clock.advance(3 * DAY - 1);
  await sweep();
  expect(types()).toEqual(['identity.decommissioning']);
  authority.clock.advance(1);
  await Promise.all([sweep(), sweepIdentitiesJob(authority.deps).run(never)]);
  await sweep();
  expect(types().slice(1)).toEqual(['identity.brown_out', 'cutoff.ordered']);
  expect(await shown()).toMatchObject({
    plan: { phase: 'brown_out' },
    refused_now: true,
    next: { at: at(4) },
  });
  authority.clock.advance(5 * MINUTE);
  expect(await shown()).toMatchObject({ refused_now: false });
  // Nobody was there for the second one: it is over, and nothing is refused for it any more.
  authority.clock.advance(DAY + 30 * MINUTE);
  await sweep();
  expect(await authority.storage.cutoffs.head()).toBe(head + 1);
  authority.clock.advance(2 * DAY);
  await sweep();
  expect(await shown()).toMatchObject({
    plan: { phase: 'stopped' },
    refused_now: true,
    next: { what: 'end' },
  });
  expect(await authority.storage.cutoffs.head()).toBe(head + 2);
  authority.clock.advance(30 * DAY);
  await sweep();
  expect(await state()).toBe('decommissioned');
  expect(await shown()).toMatchObject({ state: 'decommissioned', next: null });
  expect((await authority.storage.credentials.byId(secret.id))?.material).toMatchObject({ digest: '' });
  expect(types().at(-1)).toBe('identity.decommissioned');
});

test('an authority that was away for weeks does what it missed in one go, and leaves the grace whole', async () => {
  await decommission();
  authority.clock.advance(20 * DAY);
  await sweep();
  expect(await state()).toBe('decommissioning');
  expect((await shown()).plan).toMatchObject({ phase: 'stopped', ends_at: at(50) });
  expect(types().filter((type) => type === 'identity.stopped')).toHaveLength(1);
});

test('what was used lately is ended only by force, and a dry run shows by whom it was used', async () => {
  const now = authority.clock.now();
  await authority.storage.credentialUse.note(secret.id, now);
  await authority.log.append({
    id: 'jti-1',
    at: new Date(now).toISOString(),
    type: 'token.issued',
    outcome: 'success',
    identity: 'pay',
    resource: 'https://fraud.test',
    source: '192.0.2.9',
    instance: 'copy-1',
    node: 'test',
  });
  const refused = await post('decommission', { reason: 'x' });
  expect([refused.status, refused.body.code]).toEqual([409, 'still_in_use']);
  const preview = await call('POST', '/v1/identities/pay/decommission?dry_run=true', {
    reason: 'x',
    force: true,
  });
  expect(preview.body.recent).toMatchObject({
    complete: true,
    callers: [{ resource_server: 'https://fraud.test', source: '192.0.2.9', instance: 'copy-1', tokens: 1 }],
  });
  expect(preview.body.changes[0].after.decommissioning).toMatchObject({ phase: 'shadow', forced: true });
  expect(await state()).toBe('active');
  await decommission({ force: true });
  expect((await shown()).plan.forced).toBe(true);
});

test('what is not ending cannot be kept, and the refusal says which state it would take', async () => {
  expect((await post('keep')).body).toMatchObject({
    code: 'illegal_transition',
    detail: 'to keep an identity it has to be decommissioning, and this one is active',
  });
});

test('at once: stopped and cut off in the same moment, with its grace', async () => {
  await decommission({ now: true, phases: { grace_days: 5 } });
  expect(await shown()).toMatchObject({ plan: { phase: 'stopped', ends_at: at(5) }, refused_now: true });
  expect(types()).toEqual(['identity.decommissioning', 'cutoff.ordered']);
  authority.clock.advance(5 * DAY);
  expect((await post('restore')).body).toMatchObject({ code: 'illegal_transition' });
  await sweep();
  expect(await state()).toBe('decommissioned');
});

test('what is suspended already has no shadow', async () => {
  await post('suspend');
  await decommission();
  expect((await shown()).plan.phase).toBe('stopped');
});

test('it can be called off while it works, put off, moved on, and restored, suspended, once it is stopped', async () => {
  await decommission();
  expect((await post('keep')).body).toMatchObject({ state: 'active', decommissioning: null });
  expect((await call('GET', '/v1/identities/pay/decommissioning')).status).toBe(404);
  await decommission();
  const later = await post('decommissioning/extend', { days: 4, reason: 'holidays' });
  expect(later.body.plan).toMatchObject({ shadow_until: at(7), stop_at: at(10), ends_at: at(40) });
  expect((await post('decommissioning/extend', { days: 90, reason: 'x' })).status).toBe(200);
  const skipped = await post('decommissioning/skip');
  expect(skipped.body).toMatchObject({
    plan: { phase: 'brown_out', shadow_until: at(0) },
    refused_now: true,
  });
  expect((await post('decommissioning/skip')).body.plan.phase).toBe('stopped');
  expect((await post('keep')).body).toMatchObject({ code: 'illegal_transition' });
  expect((await post('restore')).body).toMatchObject({ state: 'suspended', decommissioning: null });
  await decommission();
  expect((await post('decommissioning/skip')).body.state).toBe('decommissioned');
});

test('a plan is put off for a year at most, and only what ends has one', async () => {
  expect((await post('decommissioning/extend', { days: 1, reason: 'x' })).body.code).toBe(
    'illegal_transition',
  );
  await decommission({ phases: { grace_days: 300 } });
  expect((await post('decommissioning/extend', { days: 60, reason: 'x' })).body.code).toBe(
    'validation_failed',
  );
});

test.each([
  { shadow_days: 2 },
  { shadow_days: 8 },
  { brown_outs: 11 },
  { brown_out_minutes: 61 },
  { grace_days: 0 },
])('phases of %j are refused', async (phases) => {
  expect((await post('decommission', { reason: 'x', phases })).status).toBe(400);
});

test('several at once: one begins it, the others are told so, and the log has one', async () => {
  const answers = await Promise.all(['a', 'b', 'c'].map((reason) => post('decommission', { reason })));
  expect(answers.map(({ status }) => status).toSorted((left, right) => left - right)).toEqual([
    200, 409, 409,
  ]);
  expect(types()).toEqual(['identity.decommissioning']);
  expect((await authority.storage.identities.byClientId('pay'))?.version).toBe(2);
});
