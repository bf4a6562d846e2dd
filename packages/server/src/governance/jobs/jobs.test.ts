import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Authority, identityBody, openAuthority } from '../../../test/authority.ts';
import { deliverOutboxJob } from './deliver-outbox.ts';
import type { Job } from './job.ts';
import { createJobRunner, type JobTimers } from './runner.ts';
import { forgetExpiredJob } from './forget-expired.ts';

const DAY = 86_400_000;
const never = new AbortController().signal;

let authority: Authority;
beforeEach(async () => {
  authority = await openAuthority();
});
afterEach(async () => {
  await authority.close();
});

const create = (client_id: string): Promise<unknown> =>
  authority.call('POST', '/v1/identities', { body: identityBody(client_id, { client_id }) });
const pending = async (): Promise<number> =>
  (await authority.storage.outbox.pending(authority.clock.now(), 1000)).length;

test('events that died with the process reach the log at the next start, each once', async () => {
  authority.log.fail(true);
  await create('a');
  await create('b');
  authority.log.fail(false);
  expect(await pending()).toBe(2);
  const rows = await authority.storage.outbox.pending(authority.clock.now(), 10);
  await authority.log.append(JSON.parse(rows[0]?.body ?? ''));
  await deliverOutboxJob(authority.deps).run(never);
  expect(await pending()).toBe(0);
  const created = authority.log.events.filter((event) => event.type === 'identity.created');
  expect(created).toHaveLength(3);
});

test('while it runs, it leaves alone what is being delivered right now', async () => {
  const job = deliverOutboxJob(authority.deps);
  await job.run(never);
  authority.log.fail(true);
  await create('a');
  authority.log.fail(false);
  await job.run(never);
  expect(await pending()).toBe(1);
  authority.clock.advance(10_001);
  await job.run(never);
  expect(await pending()).toBe(0);
});

test('a log that refuses loses nothing', async () => {
  authority.log.fail(true);
  await create('a');
  await expect(deliverOutboxJob(authority.deps).run(never)).rejects.toThrow('cannot be written');
  expect(await pending()).toBe(1);
});

test('what expired is swept', async () => {
  const { storage, clock } = authority;
  await storage.usedOnce.claim('jti', 'x', clock.now() + 1000, 'payments');
  await storage.idempotency.insert({
    principal: 'a',
    key: 'k',
    fingerprint: 'f',
    status: 200,
    response: '',
    expiresAt: clock.now() + 1000,
  });
  const job = forgetExpiredJob({ storage, clock, certificateRetention: 90 * DAY });
  await job.run(never);
  expect(await storage.usedOnce.claim('jti', 'x', clock.now() + 1000, 'payments')).toBe(false);
  clock.advance(2000);
  await job.run(never);
  expect(await storage.usedOnce.sweep(clock.now())).toBe(0);
  expect(await storage.idempotency.sweep(clock.now())).toBe(0);
});

test('forgets verifiers that were not heard of for a month, and those that proved nothing after two days', async () => {
  const { storage, clock } = authority;
  const { body } = await authority.call('GET', '/v1/resource-servers');
  const at = clock.now();
  const follower = (proven: boolean) => ({
    resourceServerId: body.items[0].id as string,
    instance: 'boot-1',
    proven,
    staleAfter: 10,
    onStale: 'refuse',
    firstSeenAt: at,
    lastSeenAt: at,
  });
  await storage.cutoffReceipts.record({
    followers: [follower(true), follower(false)],
    confirmations: [],
    attempts: [],
  });
  const left = async (): Promise<boolean[]> => {
    await forgetExpiredJob({ storage, clock, certificateRetention: 90 * DAY }).run(never);
    return (await storage.cutoffReceipts.followers(0, 10)).map((each) => each.proven);
  };
  clock.advance(2 * DAY);
  expect(await left()).toHaveLength(2);
  clock.advance(1);
  expect(await left()).toEqual([true]);
  clock.advance(28 * DAY);
  expect(await left()).toEqual([]);
});

test('the order about one token is swept when no such token can live, other orders never', async () => {
  const { storage, clock } = authority;
  const job = forgetExpiredJob({ storage, clock, certificateRetention: 90 * DAY });
  for (const kind of ['token', 'identity'] as const) {
    await storage.cutoffs.append({
      id: `cut_${kind}`,
      kind,
      target: 'x',
      notBefore: Math.floor(clock.now() / 1000) + 1,
      reason: 'leak',
      orderedBy: 'a',
      createdAt: clock.now(),
    });
  }
  const kinds = async (): Promise<string[]> =>
    (await storage.cutoffs.after(0, 10)).map((order) => order.kind).sort();
  clock.advance(DAY);
  await job.run(never);
  expect(await kinds()).toEqual(['identity', 'token']);
  clock.advance(700_000);
  await job.run(never);
  expect(await kinds()).toEqual(['identity']);
});

test('the runner runs each at the start and then at its time, tells of failures, and stops', async () => {
  const due: { ms: number; work: () => void }[] = [];
  const timers: JobTimers = {
    after(ms, work) {
      const entry = { ms, work };
      due.push(entry);
      return () => void due.splice(due.indexOf(entry), 1);
    },
  };
  const ran: string[] = [];
  const told: string[] = [];
  const jobs: Job[] = [
    { name: 'good', everyMs: 10, run: async () => void ran.push('good') },
    { name: 'bad', everyMs: 20, run: () => Promise.reject(new Error('no')) },
  ];
  const runner = createJobRunner({ jobs, timers, report: (job) => told.push(job) });
  await runner.start();
  expect([ran, told, due.map((each) => each.ms)]).toEqual([['good'], ['bad'], [10, 20]]);
  due.shift()?.work();
  await expect.poll(() => ran.length).toBe(2);
  await runner.stop();
  expect(due).toEqual([]);
});
