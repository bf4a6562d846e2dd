import type { JsonWebKey } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { accessBody, issueSecret, makeMachine, openAdmin, type Admin } from './wire/admin.ts';
import { jsonOf, send } from './wire/exchange.ts';
import { expectOAuthError, expectProblem, expectToken } from './wire/expectations.ts';
import { decodeJwt, es256Verifies } from './wire/jwt.ts';
import { freshName, seedScene, type SeededScene } from './wire/scene.ts';
import { currentTarget } from './wire/target.ts';
import { askToken } from './wire/token-request.ts';

// The cut-off feed: a signed list of what resource servers must no longer trust, by long poll; its cursor is the receipt.
const target = currentTarget();

interface Entry {
  readonly kind: string;
  readonly id: string;
  readonly not_before: number;
}

interface Feed {
  readonly jws: string;
  readonly cursor: number;
  readonly from: number;
  readonly entries: readonly Entry[];
  readonly claims: Record<string, unknown>;
}

describe.runIf(target.admin !== undefined)('cut-offs (needs the admin API)', () => {
  let admin: Admin;
  let scene: SeededScene;

  beforeAll(async () => {
    admin = openAdmin(target);
    scene = await seedScene('cutoffs');
  });

  async function read(query: string): Promise<Feed> {
    const answer = await send(`${target.issuer}/oauth/cutoffs${query}`, { ca: target.ca, timeoutMs: 35_000 });
    expect(answer.status, answer.text.slice(0, 200)).toBe(200);
    const { claims } = decodeJwt(answer.text);
    return {
      jws: answer.text,
      cursor: Number(claims['cursor']),
      from: Number(claims['from']),
      entries: claims['entries'] as Entry[],
      claims,
    };
  }

  /** Everything after a cursor, however many answers it takes. */
  async function readAll(after: number): Promise<{ cursor: number; entries: Entry[] }> {
    const entries: Entry[] = [];
    for (let cursor = after; ; ) {
      const feed = await read(`?after=${cursor}&wait=0`);
      entries.push(...feed.entries);
      if (feed.entries.length === 0) return { cursor: feed.cursor, entries };
      cursor = feed.cursor;
    }
  }

  function order(kind: string, id: string): Promise<Record<string, unknown>> {
    return admin.must('POST', '/cutoffs', { kind, id, reason: 'conformance' });
  }

  test('the feed is signed with a published key, has a type of its own and a short life', async () => {
    const feed = await read('?after=0&wait=0');
    const { header } = decodeJwt(feed.jws);
    expect(header).toMatchObject({ typ: 'cutoffs+jwt', alg: 'ES256' });
    const keys = jsonOf(await send(target.jwksUri, { ca: target.ca }))['keys'] as JsonWebKey[];
    const key = keys.find((each) => each['kid'] === header['kid']);
    expect(key !== undefined && es256Verifies(feed.jws, key)).toBe(true);
    expect(feed.claims['iss']).toBe(target.issuer);
    expect(feed.claims['iat']).toBeLessThanOrEqual(Math.floor(Date.now() / 1000));
    expect(feed.claims['exp']).toBeGreaterThan(Math.floor(Date.now() / 1000));
    expect(feed.from).toBe(0);
    for (const name of ['sub', 'aud', 'client_id', 'scope', 'jti'])
      expect(feed.claims).not.toHaveProperty(name);
  });

  test('threat 17: it is no access token', async () => {
    const { jws } = await read('?after=0&wait=0');
    const answer = await admin.call('GET', '/identities', { token: jws });
    expect(answer.status).toBe(401);
  });

  test('without news an empty answer comes when the wait is over, and not before', async () => {
    const { cursor } = await readAll(0);
    const started = Date.now();
    const feed = await read(`?after=${cursor}&wait=1`);
    if (feed.entries.length === 0) expect(Date.now() - started).toBeGreaterThanOrEqual(900);
    expect(Date.now() - started).toBeLessThan(4000);
    expect(feed.from).toBe(cursor);
  });

  test('an order reaches a waiting follower at once, and the identity gets no more tokens', async () => {
    const machine = await makeMachine(admin, freshName('cut'));
    const { cursor } = await readAll(0);
    const waiting = read(`?after=${cursor}&wait=20`);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const started = Date.now();
    await order('identity', machine.id);
    let feed = await waiting;
    let entries = [...feed.entries];
    while (!entries.some((entry) => entry.id === machine.id)) {
      feed = await read(`?after=${feed.cursor}&wait=5`);
      entries = [...entries, ...feed.entries];
    }
    expect(Date.now() - started).toBeLessThan(2000);
    const entry = entries.find((each) => each.id === machine.id);
    expect(entry).toMatchObject({ kind: 'identity' });
    expect(Math.abs(Number(entry?.not_before) - started / 1000)).toBeLessThan(5);
    expectOAuthError(await askToken({ client: machine }), 401, 'invalid_client');
  });

  test('a credential that is cut off is named by its id, gives no more tokens, and others of the identity do', async () => {
    const second = await issueSecret(admin, scene.machine.identityId);
    const { cursor } = await readAll(0);
    await order('credential', second.id);
    const { entries } = await readAll(cursor);
    expect(entries).toContainEqual(expect.objectContaining({ kind: 'credential', id: second.id }));
    const client = { id: scene.client.id, secret: second.secret };
    expectOAuthError(await askToken({ client }), 401, 'invalid_client');
    expectToken(await askToken({ client: scene.client }));
  });

  test('one token is named by its jti', async () => {
    const { claims } = decodeJwt(expectToken(await askToken({ client: scene.client })).token);
    const { cursor } = await readAll(0);
    await order('token', String(claims['jti']));
    const { entries } = await readAll(cursor);
    expect(entries).toContainEqual(expect.objectContaining({ kind: 'token', id: claims['jti'] }));
  });

  test('suspending an identity is an order too', async () => {
    const machine = await makeMachine(admin, freshName('cut-suspended'));
    const { cursor } = await readAll(0);
    await admin.must('POST', `/identities/${machine.identityId}/suspend`, { reason: 'conformance' });
    const { entries } = await readAll(cursor);
    expect(entries).toContainEqual(expect.objectContaining({ kind: 'identity', id: machine.id }));
  });

  test('what is not there cannot be cut off', async () => {
    const body = { kind: 'identity', id: 'nobody-of-that-name', reason: 'x' };
    expectProblem(await admin.call('POST', '/cutoffs', { body }), [404, 422]);
  });

  test.each([
    '?after=-1',
    '?after=x',
    '?after=1e3',
    '?after=%00',
    '?after=1&after=2',
    '?wait=999',
    '?wait=-1',
    '?wait=x',
  ])('the query %s is refused, without a wait', async (query) => {
    const started = Date.now();
    const answer = await send(`${target.issuer}/oauth/cutoffs${query}`, { ca: target.ca });
    expect(answer.status).toBe(400);
    expect(Date.now() - started).toBeLessThan(1000);
  });

  test('the cursor of a follower that says who it is is its receipt, in the report of the order', async () => {
    const follower = freshName('verifier');
    const words = `resource=${encodeURIComponent(scene.resource)}&stale_after=10&on_stale=accept_younger_than:60`;
    const poll = async (query: string): Promise<number> => {
      const headers = [['Countersign-Instance', follower]] as const;
      const url = `${target.issuer}/oauth/cutoffs?${words}${query}`;
      const answer = await send(url, { ca: target.ca, headers });
      expect(answer.status, answer.text).toBe(200);
      return Number(decodeJwt(answer.text).claims['cursor']);
    };
    interface Report extends Record<string, unknown> {
      readonly resource_servers: readonly {
        readonly identifier: string;
        readonly followers: readonly Record<string, unknown>[];
      }[];
    }
    const machine = await makeMachine(admin, freshName('receipts'));
    await admin.must('POST', '/access', accessBody(machine.identityId, scene.resource, ['read']));
    const { cursor } = await readAll(0);
    await poll(`&after=${cursor}`);
    const ordered = await order('identity', machine.id);
    const mine = async (): Promise<Record<string, unknown> | undefined> => {
      const answer = await admin.call('GET', `/cutoffs/${String(ordered['id'])}`);
      const { resource_servers: servers } = jsonOf(answer) as Report;
      const server = servers.find((each) => each.identifier === scene.resource);
      return server?.followers.find((each) => each['instance'] === follower);
    };
    expect(await mine()).toMatchObject({
      proven: false,
      state: 'waiting',
      on_stale: 'accept_younger_than:60',
      worst_case: 60,
      confirmed_at: null,
    });
    const notBefore = Date.parse(String(ordered['not_before'])) / 1000;
    const next = await poll(`&after=${cursor}`);
    await poll(`&after=${next}&attempts=identity:${machine.id}:${notBefore}:3`);
    const confirmed = await mine();
    expect(confirmed).toMatchObject({ state: 'confirmed', worst_case: 0, attempts: 3 });
    expect(Number(confirmed?.['exposure_ms'])).toBeLessThan(10_000);
  });

  test.each(['stale_after=0&on_stale=refuse', 'stale_after=9&on_stale=maybe', 'stale_after=9'])(
    'a follower that says %s is refused',
    async (words) => {
      const url = `${target.issuer}/oauth/cutoffs?resource=${encodeURIComponent(scene.resource)}&${words}`;
      const headers = [['Countersign-Instance', 'conformance']] as const;
      expectOAuthError(await send(url, { ca: target.ca, headers }), 400, 'invalid_request');
    },
  );

  test('lifting a cut-off is not for machines', async () => {
    const { id } = await order('token', freshName('jti'));
    const answer = await admin.call('POST', `/cutoffs/${String(id)}/lift`, { body: { reason: 'x' } });
    expectProblem(answer, [403]);
  });

  test('a cursor from the future does not hide what comes', async () => {
    const feed = await read('?after=999999999&wait=0');
    expect(feed.cursor).toBeLessThan(999_999_999);
  });

  test('fifty waiting followers hold up nobody', async () => {
    const { cursor } = await readAll(0);
    const followers = Array.from({ length: 50 }, () =>
      send(`${target.issuer}/oauth/cutoffs?after=${cursor}&wait=2`, { ca: target.ca, timeoutMs: 10_000 }),
    );
    const started = Date.now();
    expectToken(await askToken({ client: scene.client }));
    expect(Date.now() - started).toBeLessThan(1900);
    for (const answer of await Promise.all(followers)) expect([200, 503]).toContain(answer.status);
  });
});
