import { operations } from '@countersign/admin-api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { FollowerWord } from '../../cutoff/followers.ts';
import {
  accessBody,
  type Answer,
  type Authority,
  identityBody,
  openAuthority,
  operator,
  resourceServerBody,
} from '../../../test/authority.ts';

const FRAUD = 'https://fraud.example';
const LEDGER = 'https://ledger.example';
let authority: Authority;
let fraud: string;

beforeEach(async () => {
  authority = await openAuthority();
  await authority.call('POST', '/v1/identities', { body: identityBody('a', { client_id: 'a' }) });
  const made = await authority.call('POST', '/v1/resource-servers', {
    body: resourceServerBody(FRAUD, ['fraud:read']),
  });
  fraud = made.body.id;
  await authority.call('POST', '/v1/resource-servers', { body: resourceServerBody(LEDGER, ['x']) });
  await authority.call('POST', '/v1/access', { body: accessBody('a', FRAUD, ['fraud:read']) });
});
afterEach(async () => {
  expect(authority.bugs).toEqual([]);
  await authority.close();
});

const order = (kind: string, id: string, query = ''): Promise<Answer> =>
  authority.call('POST', `/v1/cutoffs${query}`, { body: { kind, id, reason: 'leak' } });

function hear(instance: string, change: Partial<FollowerWord> = {}): Promise<void> {
  return authority.followers.heard({
    resourceServerId: fraud,
    instance,
    proven: true,
    source: '192.0.2.1',
    after: 0,
    staleAfter: 10,
    onStale: 'refuse',
    attempts: [],
    ...change,
  });
}

async function report(id: string) {
  const answer = await authority.call('GET', `/v1/cutoffs/${id}`);
  expect(answer.status, answer.text).toBe(200);
  return operations['cutoffs.get'].response.parse(answer.body);
}

test('before the button is pressed it says whom the order reaches and what the worst case is', async () => {
  await hear('one');
  await hear('two', { onStale: 'accept_younger_than:300', proven: false });
  await authority.followers.flush();
  const { body } = await order('identity', 'a', '?dry_run=true');
  expect(body.outlook).toMatchObject({
    worst_case: 300,
    resource_servers: [
      {
        identifier: FRAUD,
        obeys: 'feed',
        longest_token_life: 600,
        worst_case: 300,
        connected: 2,
        silent: 0,
        followers: [
          { instance: 'two', proven: false, state: 'following', worst_case: 300 },
          { instance: 'one', proven: true, state: 'following', worst_case: 15, on_stale: 'refuse' },
        ],
      },
    ],
  });
  expect((await authority.call('GET', '/v1/cutoffs')).body.items).toEqual([]);
  expect((await authority.call('GET', '/v1/identities/a')).body.state).toBe('active');
});

test('an API of which no verifier follows takes tokens until they end', async () => {
  const { body } = await order('identity', 'a', '?dry_run=true');
  expect(body.outlook).toMatchObject({
    worst_case: 600,
    resource_servers: [{ identifier: FRAUD, obeys: 'expiry', longest_token_life: 600, connected: 0 }],
  });
});

test('a verifier that has gone silent is shown with what it may still accept', async () => {
  await hear('gone', { onStale: 'accept_younger_than:60' });
  await authority.followers.flush();
  authority.clock.advance(40_000);
  const { body } = await order('identity', 'a', '?dry_run=true');
  expect(body.outlook.resource_servers[0]).toMatchObject({
    connected: 0,
    silent: 1,
    worst_case: 60,
    followers: [{ state: 'silent' }],
  });
});

test('a credential reaches what its identity may, a key all that it signs for, a token any API', async () => {
  const made = await authority.call('POST', '/v1/identities/a/credentials', {
    body: { type: 'client_secret' },
  });
  const reached = async (kind: string, id: string): Promise<string[]> => {
    const { body } = await order(kind, id, '?dry_run=true');
    return body.outlook.resource_servers.map((each: { identifier: string }) => each.identifier).sort();
  };
  expect(await reached('credential', made.body.id)).toEqual([FRAUD]);
  const { body: keys } = await authority.call('GET', '/v1/keys');
  const everything = ['https://authority.test/v1', FRAUD, LEDGER];
  expect(await reached('key', keys.items[0].kid)).toEqual(everything);
  expect(await reached('token', 'some-jti')).toEqual(everything);
});

test('a token that the audit log knows reaches its own API, for as long as it lives on', async () => {
  await authority.log.append({
    id: 'jti-1',
    at: new Date(authority.clock.now() - 100_000).toISOString(),
    type: 'token.issued',
    outcome: 'success',
    resource: FRAUD,
    jti: 'jti-1',
    node: 'test',
  });
  const { body } = await order('token', 'jti-1', '?dry_run=true');
  expect(body.outlook.resource_servers).toMatchObject([{ identifier: FRAUD, longest_token_life: 500 }]);
});

test('what was taken away a moment ago still counts, for as long as its tokens live', async () => {
  const { body } = await authority.call('GET', '/v1/access?identity=a');
  const access = body.items[0];
  await authority.call('DELETE', `/v1/access/${access.id}`, { headers: { 'if-match': '*' } });
  authority.clock.advance(200_000);
  const soon = await order('identity', 'a', '?dry_run=true');
  expect(soon.body.outlook.resource_servers).toMatchObject([{ longest_token_life: 400 }]);
  authority.clock.advance(400_000);
  const later = await order('identity', 'a', '?dry_run=true');
  expect(later.body.outlook.resource_servers).toEqual([]);
});

test('afterwards it says who has confirmed, when, and how long the exposure was', async () => {
  await hear('one');
  await hear('two');
  const { body: made } = await order('identity', 'a');
  authority.clock.advance(700);
  await hear('one', { after: made.cursor });
  await hear('late', { after: undefined });
  const half = await report(made.id);
  expect(half).toMatchObject({ id: made.id, kind: 'identity', target: 'a', all_confirmed: false });
  expect(half.resource_servers).toMatchObject([
    { confirmed: 2, waiting: 1, slowest_exposure_ms: 700, connected: 3 },
  ]);
  authority.clock.advance(1300);
  await hear('two', { after: made.cursor });
  const whole = await report(made.id);
  expect(whole.all_confirmed).toBe(true);
  expect(whole.worst_case).toBe(0);
  const [server] = whole.resource_servers;
  const of = (instance: string) => server?.followers.find((each) => each.instance === instance);
  expect(server?.slowest_exposure_ms).toBe(2000);
  expect(of('one')).toMatchObject({ state: 'confirmed', exposure_ms: 700 });
  expect(of('two')).toMatchObject({ state: 'confirmed', exposure_ms: 2000 });
  expect(of('late')).toMatchObject({ state: 'started_after', exposure_ms: null });
});

test('attempts afterwards are counted by verifier', async () => {
  await hear('one');
  const { body: made } = await order('identity', 'a');
  const notBefore = Date.parse(made.not_before) / 1000;
  const attempts = [{ kind: 'identity' as const, id: 'a', notBefore, count: 4 }];
  authority.clock.advance(5000);
  await hear('one', { after: made.cursor, attempts });
  const { resource_servers: servers } = await report(made.id);
  expect(servers).toMatchObject([{ attempts: 4, followers: [{ attempts: 4 }] }]);
  expect(servers[0]?.followers[0]?.last_attempt_at).toBe(new Date(authority.clock.now()).toISOString());
});

test('a drill is recorded with what was measured and what the receipts say; its dry run records nothing', async () => {
  await hear('one');
  const { body: made } = await order('identity', 'a');
  authority.clock.advance(400);
  await hear('one', { after: made.cursor });
  const body = { refused_ms: 350, issuance_stopped_ms: 20 };
  const drilled = () => authority.log.events.filter(({ type }) => type === 'cutoff.drilled');
  const path = `/v1/cutoffs/${made.id}/drill`;
  const dry = await authority.call('POST', `${path}?dry_run=true`, { body });
  expect([dry.body, drilled()]).toEqual([{ dry_run: true, changes: [] }, []]);
  const answer = await authority.call('POST', path, { body });
  expect(answer.status, answer.text).toBe(200);
  expect(answer.body).toEqual({
    cutoff: made.id,
    ...body,
    all_confirmed: true,
    slowest_exposure_ms: 400,
    resource_servers: [{ identifier: FRAUD, confirmed: 1, waiting: 0, silent: 0, slowest_exposure_ms: 400 }],
  });
  expect(drilled()).toMatchObject([{ resource: made.id, identity: 'admin' }]);
  const none = await authority.call('POST', '/v1/cutoffs/cut_00000000000000000000/drill', { body });
  expect(none.status).toBe(404);
});

test('lifting is for people: a machine with every scope is refused', async () => {
  const { body: made } = await order('identity', 'a');
  const lifted = await authority.call('POST', `/v1/cutoffs/${made.id}/lift`, { body: { reason: 'ok' } });
  expect([lifted.status, lifted.body.code]).toEqual([403, 'needs_people']);
  const none = await authority.call('POST', '/v1/cutoffs/cut_00000000000000000000/lift', {
    body: { reason: 'ok' },
  });
  expect(none.status).toBe(403);
});

test('a cut-off that is not there is 404, and reading one takes cutoffs:read', async () => {
  expect((await authority.call('GET', '/v1/cutoffs/cut_00000000000000000000')).status).toBe(404);
  const token = await operator(authority, 'op', ['identities:read']);
  const { body: made } = await order('identity', 'a');
  expect((await authority.call('GET', `/v1/cutoffs/${made.id}`, { token })).status).toBe(403);
});
