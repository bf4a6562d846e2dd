import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterEach, expect, test } from 'vitest';
import { type Authority, identityBody, openAuthority } from '../../../test/authority.ts';
import { parseOutboundAllow } from '../../outbound/address.ts';
import { createSafePost } from '../../outbound/safe-post.ts';
import { createCredentialPlaces } from '../../registry/use/credential-places.ts';
import { MOST_REVIVED } from '../../registry/webhook/webhook.ts';
import { createIssuancePace } from '../../registry/issuance-pace.ts';
import type { WebhookDeliveryRecord } from '../../storage/webhook-deliveries.ts';
import { MOST_WAITING, type Post } from '../notices/deliver-to-webhook.ts';
import { DELIVERIES_KEPT_MS, deliverWebhooksJob } from './deliver-webhooks.ts';
import type { Job } from './job.ts';
import { lookForFindingsJob } from './look-for-findings.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const never = new AbortController().signal;
const URL_ = 'https://siem.example/hooks';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

interface Scene {
  readonly authority: Authority;
  readonly job: Job;
  /** Another node. */
  readonly other: Job;
  webhook(change?: Record<string, unknown>): Promise<{ id: string; secret: string }>;
  /** An event `identity.created`. */
  event(): Promise<void>;
  deliveries(webhookId: string): Promise<readonly WebhookDeliveryRecord[]>;
}

async function scene(post: Post): Promise<Scene> {
  const authority = await openAuthority({ post, fetchFault: () => undefined });
  closing.push(() => authority.close());
  const jobs: Job[] = [];
  for (let node = 0; node < 2; node++) {
    const deps = { ...authority.deps, digest: (secret: string) => authority.deps.secretHash.digest(secret) };
    const job = deliverWebhooksJob(deps);
    await job.run(never);
    jobs.push(job);
  }
  const [job, other] = jobs as [Job, Job];
  let events = 0;
  return {
    authority,
    job,
    other,
    async webhook(change = {}) {
      const body = { name: `hook ${Math.random()}`, url: URL_, events: ['identity.*'], ...change };
      const answer = await authority.call('POST', '/v1/webhooks', { body });
      expect(answer.status, answer.text).toBe(201);
      return answer.body;
    },
    async event() {
      const body = identityBody('x', { client_id: `client-${++events}` });
      expect((await authority.call('POST', '/v1/identities', { body })).status).toBe(201);
    },
    deliveries: async (webhookId) =>
      (await authority.storage.webhookDeliveries.list({ webhookId }, { limit: 1000 })).items,
  };
}

test('a receiver that knows the standard takes a notice, with the secret of before and the new one', async () => {
  const taken: unknown[] = [];
  const known: string[] = [];
  const server = createServer(async (request: IncomingMessage, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    try {
      for (const secret of known) {
        taken.push(new Webhook(secret).verify(body, request.headers as Record<string, string>));
      }
      response.writeHead(204).end();
    } catch {
      response.writeHead(401).end();
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closing.push(() => server.close());
  const read = parseOutboundAllow(['127.0.0.1']);
  if (!read.ok) throw new Error(read.entry);
  const { authority, job, webhook, event, deliveries } = await scene(
    createSafePost({ allow: read.allow, plainLoopback: true }),
  );
  authority.clock.advance(Date.now() - authority.clock.now());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`;
  const { id, secret } = await webhook({ url });
  known.push(secret);
  await event();
  await job.run(never);
  expect(taken).toMatchObject([{ type: 'identity.created', data: { by: 'admin', state: 'active' } }]);
  const rotated = await authority.call('POST', `/v1/webhooks/${id}/rotate`, { body: {} });
  known.push(rotated.body.secret);
  await event();
  await job.run(never);
  expect(taken).toHaveLength(3);
  expect((await deliveries(id)).map(({ state, attempts }) => [state, attempts])).toEqual([
    ['delivered', 1],
    ['delivered', 1],
  ]);
  // A stranger's secret verifies nothing.
  known.splice(0, 2, (await webhook({ events: ['team.*'] })).secret);
  authority.clock.advance(1000);
  await event();
  await job.run(never);
  expect((await deliveries(id))[0]).toMatchObject({ state: 'waiting', lastStatus: 401 });
});

test('two nodes at once send each notice once', async () => {
  const sent: string[] = [];
  const { job, other, webhook, event } = await scene(async (_url, _body, { headers }) => {
    sent.push(headers['webhook-id'] as string);
    return { ok: true, status: 200 };
  });
  await webhook();
  for (let at = 0; at < 20; at++) await event();
  await Promise.all([job.run(never), other.run(never)]);
  expect(sent).toHaveLength(20);
  expect(new Set(sent).size).toBe(20);
});

test('an attempt whose end nobody saw is made again, under the same id', async () => {
  const sent: string[] = [];
  let dies = true;
  const { authority, job, other, webhook, event, deliveries } = await scene(
    async (_url, _body, { headers }) => {
      sent.push(headers['webhook-id'] as string);
      if (dies) throw new Error('the process is gone');
      return { ok: true, status: 200 };
    },
  );
  const { id } = await webhook();
  await event();
  await expect(job.run(never)).rejects.toThrow('the process is gone');
  dies = false;
  await other.run(never);
  expect(sent).toHaveLength(1);
  authority.clock.advance(MINUTE);
  await other.run(never);
  expect(sent).toHaveLength(2);
  expect(sent[1]).toBe(sent[0]);
  expect(await deliveries(id)).toMatchObject([{ state: 'delivered', attempts: 2 }]);
});

test('a receiver that is away is tried less and less, loses nothing, and gets it all when it is back', async () => {
  let away = true;
  let attempts = 0;
  const { authority, job, webhook, event, deliveries } = await scene(async () => {
    attempts++;
    return away ? { ok: false, reason: 'connection_failed' } : { ok: true, status: 200 };
  });
  const { id } = await webhook();
  for (let at = 0; at < 30; at++) await event();
  const perHour: number[] = [];
  for (let hour = 0; hour < 12; hour++) {
    const before = attempts;
    for (let minute = 0; minute < 60; minute += 2) {
      await job.run(never);
      authority.clock.advance(2 * MINUTE);
    }
    perHour.push(attempts - before);
  }
  // Four at once are tried, and then nothing for half an hour.
  expect(Math.max(...perHour.slice(1))).toBeLessThanOrEqual(8);
  away = false;
  for (let hour = 0; hour < 12; hour++) {
    authority.clock.advance(HOUR);
    await job.run(never);
  }
  expect(new Set((await deliveries(id)).map(({ state }) => state))).toEqual(new Set(['delivered']));
  expect(await authority.storage.webhooks.health(id)).toBeUndefined();
});

test('one that takes nothing for three days is disabled, with an event and a finding; enabled again it gets what it missed', async () => {
  let answers: Awaited<ReturnType<Post>> = { ok: true, status: 500 };
  const { authority, job, webhook, event, deliveries } = await scene(async () => answers);
  const { id } = await webhook();
  const witness = (await webhook({ events: ['webhook.disabled'] })).id;
  await event();
  const { clock, storage, log, deps } = authority;
  const life = { inactivity: 'suspend', suspendedForMs: 300 * DAY } as const;
  const findings = lookForFindingsJob({
    ...deps,
    pace: createIssuancePace(clock.now()),
    places: createCredentialPlaces(),
    ...life,
  });
  await findings.run(never);
  let hours = 0;
  for (; hours < 100 && (await storage.webhooks.byId(id))?.state === 'enabled'; hours++) {
    clock.advance(HOUR);
    await job.run(never);
  }
  expect(hours).toBeGreaterThan(58);
  expect(hours).toBeLessThanOrEqual(73);
  const told = log.events.find(({ type, resource }) => type === 'webhook.disabled' && resource === id);
  expect(told).toMatchObject({
    identity: 'countersign',
    reason: 'nothing was taken for three days: it answered 500',
  });
  expect(await deliveries(id)).toMatchObject([{ state: 'given_up', lastStatus: 500 }]);
  expect(await deliveries(witness)).toMatchObject([{ type: 'webhook.disabled' }]);
  clock.advance(HOUR);
  await findings.run(never);
  const [finding] = (await storage.findings.list({ kind: 'webhook_disabled' }, { limit: 10 })).items;
  expect(finding).toMatchObject({
    subjectId: id,
    state: 'open',
    fix: `countersign webhooks update ${id} --state enabled`,
  });
  answers = { ok: true, status: 200 };
  const path = `/v1/webhooks/${id}`;
  const since = { since: new Date(clock.now() - 6 * DAY).toISOString() };
  expect((await authority.call('POST', `${path}/redeliver`, { body: since })).status).toBe(409);
  await authority.call('PATCH', path, { body: { state: 'enabled' }, headers: { 'If-Match': '*' } });
  const dry = await authority.call('POST', `${path}/redeliver?dry_run=true`, { body: since });
  expect(dry.body.changes).toMatchObject([{ op: 'update', kind: 'Webhook', after: { waiting_again: 1 } }]);
  expect((await authority.call('POST', `${path}/redeliver`, { body: since })).body).toEqual({ waiting: 1 });
  await job.run(never);
  expect(await deliveries(id)).toMatchObject([{ state: 'delivered' }]);
  clock.advance(HOUR + 1);
  await findings.run(never);
  expect((await storage.findings.byId(finding?.id ?? ''))?.state).toBe('resolved');
});

test('one that answers 410 is disabled at once', async () => {
  const { authority, job, webhook, event, deliveries } = await scene(async () => ({ ok: true, status: 410 }));
  const { id } = await webhook();
  for (let at = 0; at < 9; at++) await event();
  await job.run(never);
  expect(await authority.storage.webhooks.byId(id)).toMatchObject({ state: 'disabled' });
  expect(new Set((await deliveries(id)).map(({ state }) => state))).toEqual(new Set(['given_up']));
});

test('a notice that is not taken holds up no other', async () => {
  let poison = '';
  const { authority, job, webhook, event, deliveries } = await scene(async (_url, body) => {
    poison ||= body;
    return { ok: true, status: body === poison ? 422 : 200 };
  });
  const { id } = await webhook();
  for (let day = 0; day < 5; day++) {
    await event();
    for (let hour = 0; hour < 24; hour++) {
      await job.run(never);
      authority.clock.advance(HOUR);
    }
  }
  expect(await authority.storage.webhooks.byId(id)).toMatchObject({ state: 'enabled' });
  const states = (await deliveries(id)).map(({ state, lastStatus }) => `${state} ${lastStatus}`);
  expect(states).toEqual([...Array.from({ length: 4 }, () => 'delivered 200'), 'given_up 422']);
});

test(`when more than ${MOST_WAITING} wait, it is disabled, and it all can be sent again`, async () => {
  const { authority, job, webhook, event } = await scene(async () => ({ ok: true, status: 200 }));
  const { id } = await webhook();
  await event();
  const { storage } = authority;
  const [row] = await storage.webhookDeliveries.due(id, authority.clock.now(), 1);
  await storage.transaction(async ({ webhookDeliveries }) => {
    for (let at = 0; at < MOST_WAITING; at++) {
      await webhookDeliveries.insert({ ...(row as WebhookDeliveryRecord), id: `dlv_${at}` });
    }
  });
  await job.run(never);
  expect(await storage.webhooks.byId(id)).toMatchObject({
    state: 'disabled',
    disabledReason: `more than ${MOST_WAITING} notices wait for it`,
  });
  const any = { 'If-Match': '*' };
  await authority.call('PATCH', `/v1/webhooks/${id}`, { body: { state: 'enabled' }, headers: any });
  const since = { since: new Date(authority.clock.now() - DAY).toISOString() };
  const revived: number[] = [];
  for (let round = 0; round < 3; round++) {
    const answer = await authority.call('POST', `/v1/webhooks/${id}/redeliver`, { body: since });
    revived.push(answer.body.waiting);
    await storage.webhookDeliveries.giveUp(id, authority.clock.now(), 'x');
    if (round > 0) await storage.webhookDeliveries.forget(authority.clock.now() + 1, 20_000);
  }
  expect(revived).toEqual([MOST_REVIVED, MOST_REVIVED, 0]);
  expect(MOST_REVIVED).toBeLessThan(MOST_WAITING);
});

test('what became of a notice can be looked up for seven days', async () => {
  const { authority, job, webhook, event } = await scene(async () => ({ ok: true, status: 200 }));
  const { id } = await webhook();
  await event();
  await job.run(never);
  const path = `/v1/webhooks/${id}/deliveries`;
  const [shown] = (await authority.call('GET', `${path}?state=delivered`)).body.items;
  expect(shown).toMatchObject({
    type: 'identity.created',
    attempts: 1,
    last_status: 200,
    next_attempt: null,
  });
  authority.clock.advance(DELIVERIES_KEPT_MS + 1);
  await job.run(never);
  expect((await authority.call('GET', path)).body.items).toEqual([]);
});

test('whoever stops leaves what is on its way to the next start, and it is nobody’s failure', async () => {
  const stop = new AbortController();
  const { authority, job, webhook, event, deliveries } = await scene(async () => {
    stop.abort();
    return { ok: false, reason: 'timed_out' };
  });
  const { id } = await webhook();
  await event();
  await job.run(stop.signal);
  expect(await deliveries(id)).toMatchObject([{ state: 'waiting', attempts: 1, lastAt: undefined }]);
  expect(await authority.storage.webhooks.health(id)).toBeUndefined();
});
