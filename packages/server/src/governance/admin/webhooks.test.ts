import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Answer,
  type Authority,
  identityBody,
  openAuthority,
  operator,
} from '../../../test/authority.ts';
import { exportDocuments } from '../apply/export.ts';

const DAY = 86_400_000;
const HOOK = { name: 'siem', url: 'https://siem.example/hooks', events: ['identity.*'] };

let authority: Authority;
const sent: { url: string; body: string; headers: Readonly<Record<string, string>> }[] = [];
let status = 204;
beforeAll(async () => {
  authority = await openAuthority({
    post: async (url, body, { headers }) => {
      sent.push({ url, body, headers });
      return { ok: true, status };
    },
  });
});
afterAll(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

let names = 0;
async function create(change: Record<string, unknown> = {}): Promise<Answer> {
  const answer = await authority.call('POST', '/v1/webhooks', {
    body: { ...HOOK, name: `hook ${++names}`, ...change },
  });
  expect(answer.status, answer.text).toBe(201);
  return answer;
}

const waiting = async (webhookId: string): Promise<readonly string[]> =>
  (await authority.storage.webhookDeliveries.list({ webhookId, state: 'waiting' }, { limit: 100 })).items.map(
    ({ type }) => type,
  );

describe('a webhook', () => {
  test('is shown with its secret once, and never again', async () => {
    const made = await create();
    const { secret, ...webhook } = made.body;
    expect(secret).toMatch(/^whsec_[0-9A-Za-z]{44}$/);
    const got = await authority.call('GET', made.headers['location'] ?? '');
    expect(got.body).toEqual(webhook);
    expect(got.headers['etag']).toBe('"1"');
    const list = await authority.call('GET', '/v1/webhooks');
    expect(list.body.items).toContainEqual(webhook);
    const all = JSON.stringify([list.text, authority.log.events]);
    expect(all).not.toContain(secret);
  });

  test('has a name that nobody else has, and a URL that notices may go to', async () => {
    const { body } = await create({ name: 'twice' });
    const again = await authority.call('POST', '/v1/webhooks', { body: { ...HOOK, name: 'twice' } });
    expect([again.status, again.body.existing]).toEqual([409, body.id]);
    for (const url of [
      'https://127.0.0.1/',
      'https://[::1]/',
      'http://siem.example/',
      'https://10.1.2.3/x',
      'https://siem.example:8443/#a',
      'https://user:pass@siem.example/',
      'ftp://siem.example/',
      'siem.example',
    ]) {
      const answer = await authority.call('POST', '/v1/webhooks', { body: { ...HOOK, name: 'bad', url } });
      expect([url, answer.status, answer.body.errors?.[0]?.pointer]).toEqual([url, 400, '/url']);
    }
    for (const events of [[], ['*', '*'], ['Identity.*'], ['identity'], ['identity.*.x'], ['a.b; drop']]) {
      const answer = await authority.call('POST', '/v1/webhooks', { body: { ...HOOK, name: 'bad', events } });
      expect([events, answer.status]).toEqual([events, 400]);
    }
  });

  test('there are at most 50', async () => {
    const own = await openAuthority();
    const codes: number[] = [];
    for (let at = 0; at < 51; at++) {
      codes.push((await own.call('POST', '/v1/webhooks', { body: { ...HOOK, name: `${at}` } })).status);
    }
    await own.close();
    expect(codes.filter((code) => code === 201)).toHaveLength(50);
    expect(codes.at(-1)).toBe(409);
  });

  test('changes by its version alone', async () => {
    const { body } = await create();
    const path = `/v1/webhooks/${body.id}`;
    const change = { events: ['*'], description: 'all of it' };
    expect((await authority.call('PATCH', path, { body: change })).status).toBe(428);
    const stale = await authority.call('PATCH', path, { body: change, headers: { 'If-Match': '"7"' } });
    expect(stale.status).toBe(412);
    const done = await authority.call('PATCH', path, { body: change, headers: { 'If-Match': '"1"' } });
    expect(done.body).toMatchObject({ ...change, version: 2 });
    const same = await authority.call('PATCH', path, { body: change, headers: { 'If-Match': '"2"' } });
    expect(same.body.version).toBe(2);
  });

  test('is gone with its secrets when it is deleted, and so is what waited for it', async () => {
    const { body } = await create({ events: ['*'] });
    await authority.call('POST', '/v1/identities', { body: identityBody('x') });
    expect(await waiting(body.id)).toContain('identity.created');
    const any = { headers: { 'If-Match': '*' } };
    expect((await authority.call('DELETE', `/v1/webhooks/${body.id}`, any)).body.state).toBe('deleted');
    expect(await waiting(body.id)).toEqual([]);
    expect(await authority.storage.webhooks.secretsOf(body.id)).toEqual([]);
    expect((await authority.call('GET', `/v1/webhooks/${body.id}`)).status).toBe(404);
    expect((await authority.call('DELETE', `/v1/webhooks/${body.id}`, any)).status).toBe(404);
  });

  test('is not for owners, and an auditor only looks', async () => {
    const auditor = { token: await authority.personToken('aud', ['auditor']) };
    const owner = { token: await authority.personToken('own', ['owner']) };
    expect((await authority.call('GET', '/v1/webhooks', auditor)).status).toBe(200);
    expect((await authority.call('POST', '/v1/webhooks', { ...auditor, body: HOOK })).status).toBe(403);
    expect((await authority.call('GET', '/v1/webhooks', owner)).status).toBe(403);
  });
});

describe('what a notice says', () => {
  test('is queued with the change, for those whom it concerns, and holds no more than names and states', async () => {
    const all = (await create({ events: ['*'] })).body.id;
    const some = (await create({ events: ['identity.suspended', 'team.*'] })).body.id;
    const other = (await create({ events: ['credential.*'] })).body.id;
    const off = (await create({ events: ['*'] })).body.id;
    const any = { headers: { 'If-Match': '*' } };
    await authority.call('PATCH', `/v1/webhooks/${off}`, { ...any, body: { state: 'disabled' } });
    const body = identityBody('payments', { client_id: 'pays', purpose: 'secret plans' });
    await authority.call('POST', '/v1/identities', { body });
    await authority.call('POST', '/v1/identities/pays/suspend', { body: { reason: 'odd calls' } });
    expect(await waiting(all)).toEqual(expect.arrayContaining(['identity.created', 'identity.suspended']));
    expect(await waiting(some)).toEqual(['identity.suspended']);
    expect(await waiting(other)).toEqual([]);
    expect(await waiting(off)).toEqual([]);
    const [row] = (await authority.storage.webhookDeliveries.list({ webhookId: some }, { limit: 1 })).items;
    const event = authority.log.events.findLast(({ type }) => type === 'identity.suspended');
    const identity = await authority.storage.identities.byClientId('pays');
    expect(JSON.parse(row?.body ?? '')).toEqual({
      type: 'identity.suspended',
      timestamp: event?.at,
      data: {
        event: event?.id,
        resource: { kind: 'identity', id: identity?.id, name: 'pays' },
        state: 'suspended',
        reason: 'odd calls',
        by: 'admin',
        changed: ['state', 'state_reason'],
      },
    });
    const bodies = (await authority.storage.webhookDeliveries.list({ webhookId: all }, { limit: 100 })).items;
    expect(bodies.map((each) => each.body).join()).not.toContain('secret plans');
  });

  test('of a change that is taken back nothing is queued', async () => {
    const { id } = (await create({ events: ['*'] })).body;
    const before = (await waiting(id)).length;
    await authority.call('POST', '/v1/identities?dry_run=true', { body: identityBody('dry') });
    await authority.call('POST', '/v1/identities', { body: { name: 'bad' } });
    expect(await waiting(id)).toHaveLength(before);
  });
});

describe('its secret', () => {
  test('is rotated with both signing for a time', async () => {
    const made = await create({ events: ['team.*'] });
    const path = `/v1/webhooks/${made.body.id}`;
    const rotated = await authority.call('POST', `${path}/rotate`, { body: { overlap: '2d' } });
    expect(rotated.status, rotated.text).toBe(200);
    expect(rotated.body.secret).not.toBe(made.body.secret);
    expect(rotated.body.secrets).toHaveLength(2);
    await authority.call('POST', `${path}/test`);
    expect(sent.at(-1)?.headers['webhook-signature']?.split(' ')).toHaveLength(2);
    authority.clock.advance(2 * DAY);
    await authority.call('POST', `${path}/test`);
    expect(sent.at(-1)?.headers['webhook-signature']?.split(' ')).toHaveLength(1);
    const late = await authority.call('POST', `${path}/rotate`, { body: { overlap: '31d' } });
    expect(late.status).toBe(400);
  });

  test('at most five sign at once, until the oldest ends', async () => {
    const { id } = (await create({ events: ['team.*'] })).body;
    const rotate = (): Promise<Answer> =>
      authority.call('POST', `/v1/webhooks/${id}/rotate`, { body: { overlap: '2d' } });
    const codes = [];
    for (let at = 0; at < 5; at++) codes.push((await rotate()).status);
    expect(codes).toEqual([200, 200, 200, 200, 409]);
    authority.clock.advance(2 * DAY);
    const rotated = await rotate();
    expect([rotated.status, rotated.body.secrets.length]).toEqual([200, 2]);
  });

  test('a test says what became of it, and is in the log before', async () => {
    const { id } = (await create({ events: ['team.*'] })).body;
    status = 500;
    const failed = await authority.call('POST', `/v1/webhooks/${id}/test`);
    status = 204;
    expect(failed.body).toMatchObject({ delivered: false, status: 500, error: 'it answered 500' });
    const done = await authority.call('POST', `/v1/webhooks/${id}/test`);
    expect(done.body).toMatchObject({ delivered: true, status: 204, error: null });
    expect(sent.at(-1)?.headers['webhook-id']).toBe(done.body.event);
    expect(JSON.parse(sent.at(-1)?.body ?? '')).toMatchObject({ type: 'webhook.test' });
    const told = authority.log.events.filter(
      ({ type, resource }) => type === 'webhook.tested' && resource === id,
    );
    expect(told).toHaveLength(2);
    const before = sent.length;
    const dry = await authority.call('POST', `/v1/webhooks/${id}/test?dry_run=true`);
    expect([dry.body.changes, sent.length]).toEqual([[], before]);
  });
});

describe('declared', () => {
  const document = (spec: Record<string, unknown>): unknown => ({
    apiVersion: 'countersign/v1',
    kind: 'Webhook',
    metadata: { name: 'declared' },
    spec: { url: HOOK.url, events: HOOK.events, ...spec },
  });
  const apply = (documents: readonly unknown[], ask: { token?: string; prune?: boolean } = {}) =>
    authority.call('POST', '/v1/apply', {
      body: { documents, prune: ask.prune ?? false },
      ...(ask.token === undefined ? {} : { token: ask.token }),
    });

  test('it is made with a secret that is told once, then as it is declared; exported and applied it is the same', async () => {
    const made = await apply([document({})]);
    expect(made.body.secrets).toEqual([
      { name: 'declared', identity: '', secret: expect.stringMatching(/^whsec_/) },
    ]);
    expect((await apply([document({})])).body).toEqual({ changes: [], secrets: [] });
    const changed = await apply([document({ state: 'disabled', description: 'later' })]);
    expect(changed.body.changes).toMatchObject([{ op: 'update', kind: 'Webhook', name: 'declared' }]);
    const exported = await exportDocuments(authority.storage, authority.clock.now());
    const again = await apply(exported.filter(({ kind }) => kind === 'Webhook'));
    expect([again.status, again.body.changes]).toEqual([200, []]);
  });

  test('who may not write webhooks declares none', async () => {
    const scopes = ['identities', 'credentials', 'resource-servers', 'access'].map((noun) => `${noun}:write`);
    const token = await operator(authority, 'applies', scopes);
    expect((await apply([document({ description: 'mine' })], { token })).status).toBe(403);
  });

  test('what is no longer declared is pruned', async () => {
    const pruned = await apply([document({})], { prune: true });
    expect(pruned.status, pruned.text).toBe(200);
    expect((await authority.storage.webhooks.live()).map(({ name }) => name)).toEqual(['declared']);
  });
});
