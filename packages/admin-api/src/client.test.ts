import { expect, test } from 'vitest';
import { AdminApiError, createAdminClient } from './client.ts';
import { problemDocument } from './problem.ts';

interface Sent {
  url: string;
  init: RequestInit & { headers: Record<string, string> };
}

function clientThat(answers: (() => Response)[], sent: Sent[] = []) {
  return createAdminClient({
    api: 'https://authority.test/v1',
    token: async () => 'tok',
    instance: 'boot-1',
    fetch: async (url, init) => {
      sent.push({ url: url as string, init: init as Sent['init'] });
      return (answers.shift() as () => Response)();
    },
  });
}

const json = (value: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(value), { status, headers });

test('a call is the request of the table, with token, body and instance', async () => {
  const sent: Sent[] = [];
  const client = clientThat(
    [() => json({ id: 'crd_1', secret: 's' }, 201, { etag: '"1"', 'request-id': 'req_1' })],
    sent,
  );
  const answer = await client.call('credentials.create', {
    params: { id: 'payments' },
    body: { type: 'client_secret', label: 'a' },
    idempotencyKey: 'k1',
  });
  expect(answer).toEqual({
    status: 201,
    body: { id: 'crd_1', secret: 's' },
    etag: '"1"',
    requestId: 'req_1',
  });
  expect(sent[0]?.url).toBe('https://authority.test/v1/identities/payments/credentials');
  expect(sent[0]?.init).toMatchObject({ method: 'POST', redirect: 'error' });
  expect(sent[0]?.init.headers).toMatchObject({
    authorization: 'Bearer tok',
    'content-type': 'application/json',
    'idempotency-key': 'k1',
    'countersign-instance': 'boot-1',
  });
});

test('an identifier in the path is percent-encoded, a patch is a merge patch', async () => {
  const sent: Sent[] = [];
  const client = clientThat([() => json({})], sent);
  await client.call('resource-servers.patch', {
    params: { id: 'https://fraud.test/api?x=1' },
    body: { name: 'Fraud' },
    ifMatch: '"3"',
  });
  expect(sent[0]?.url).toBe(
    'https://authority.test/v1/resource-servers/https%3A%2F%2Ffraud.test%2Fapi%3Fx%3D1',
  );
  expect(sent[0]?.init.headers).toMatchObject({
    'content-type': 'application/merge-patch+json',
    'if-match': '"3"',
  });
});

test('a preview asks for a dry run', async () => {
  const sent: Sent[] = [];
  const client = clientThat([() => json({ dry_run: true, changes: [] })], sent);
  const difference = await client.preview('identities.suspend', {
    params: { id: 'payments' },
    body: { reason: 'leak' },
  });
  expect(difference.changes).toEqual([]);
  expect(sent[0]?.url).toBe('https://authority.test/v1/identities/payments/suspend?dry_run=true');
});

test('each walks every page, the audit log beside /v1 included', async () => {
  const sent: Sent[] = [];
  const client = clientThat(
    [
      () => json({ items: [{ seq: 1 }, { seq: 2 }], next_cursor: 'abc' }),
      () => json({ items: [{ seq: 3 }], next_cursor: null }),
    ],
    sent,
  );
  const seen: number[] = [];
  for await (const event of client.each('audit.events', { query: { limit: 2 } })) seen.push(event.seq);
  expect(seen).toEqual([1, 2, 3]);
  expect(sent[1]?.url).toBe('https://authority.test/audit/events?limit=2&cursor=abc');
});

test('a problem becomes a typed error with its request id', async () => {
  const client = clientThat([
    () => json(problemDocument('not_found', { detail: 'no identity x' }), 404, { 'request-id': 'req_9' }),
  ]);
  const error = await client.call('identities.get', { params: { id: 'x' } }).catch((reason) => reason);
  expect(error).toBeInstanceOf(AdminApiError);
  expect(error).toMatchObject({
    code: 'not_found',
    status: 404,
    requestId: 'req_9',
    message: 'no identity x',
    problem: { type: 'https://countersign.dev/problems/not_found' },
  });
});

test('no answer, a foreign answer and a newer problem are told apart', async () => {
  const client = clientThat([
    () => {
      throw new TypeError('fetch failed');
    },
    () => new Response('<html>', { status: 502 }),
    () => json({ message: 'x' }, 400),
    () => json({ type: 'https://countersign.dev/problems/from_the_future', title: 'New' }, 418),
  ]);
  const codes: string[] = [];
  for (let i = 0; i < 4; i++) {
    await client.call('keys.list').catch((error: AdminApiError) => codes.push(error.code));
  }
  expect(codes).toEqual(['unreachable', 'unintelligible_answer', 'unintelligible_answer', 'unknown_problem']);
});

test('what token() rejects with passes through', async () => {
  const client = createAdminClient({
    api: 'https://authority.test/v1',
    token: () => Promise.reject(new Error('no secret')),
  });
  await expect(client.call('keys.list')).rejects.toThrow('no secret');
});
