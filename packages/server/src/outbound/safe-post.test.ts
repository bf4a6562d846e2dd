import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { parseOutboundAllow } from './address.ts';
import { createSafePost, type SafePost, type SafePostDeps } from './safe-post.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function receiver(answer: RequestListener): Promise<{ url: string; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      requests.push(`${request.method} ${request.headers['x-id']} ${body}`);
      answer(request, response);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closing.push(() => (server.close(), server.closeAllConnections()));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?a=1`, requests };
}

function poster(allowed: readonly string[], more: Partial<SafePostDeps> = {}): SafePost {
  const read = parseOutboundAllow(allowed);
  if (!read.ok) throw new Error(read.entry);
  return createSafePost({ allow: read.allow, plainLoopback: true, ...more });
}

const SENT = { headers: { 'x-id': '7', 'content-type': 'application/json' } };

test('what is sent arrives as it is, and the status is told', async () => {
  const { url, requests } = await receiver((_, response) => response.writeHead(204).end());
  expect(await poster(['127.0.0.1'])(url, '{"ä":1}', SENT)).toEqual({ ok: true, status: 204 });
  expect(requests).toEqual(['POST 7 {"ä":1}']);
});

test('nothing is sent to what is not public, whatever a name resolves to', async () => {
  const { url, requests } = await receiver((_, response) => response.end());
  expect(await poster([])(url, '{}', SENT)).toEqual({ ok: false, reason: 'address_not_allowed' });
  for (const addresses of [
    ['127.0.0.1'],
    ['8.8.8.8', '10.0.0.1'],
    ['169.254.169.254'],
    ['::ffff:127.0.0.1'],
  ]) {
    const post = poster([], { resolve: async () => addresses });
    const reason = (await post(`https://hooks.example/`, '{}', SENT)) as { reason: string };
    expect(reason.reason, addresses.join()).toBe('address_not_allowed');
  }
  expect(await poster([])('file:///etc/passwd', '{}', SENT)).toMatchObject({ reason: 'scheme_not_allowed' });
  expect(await poster([])('https://u:p@hooks.example/', '{}', SENT)).toMatchObject({
    reason: 'url_malformed',
  });
  expect(requests).toEqual([]);
});

test('a redirect is not followed, and is no delivery', async () => {
  const other = await receiver((_, response) => response.end());
  const { url } = await receiver((_, response) => response.writeHead(307, { location: other.url }).end());
  expect(await poster(['127.0.0.1'])(url, '{}', SENT)).toEqual({ ok: false, reason: 'redirected' });
  expect(other.requests).toEqual([]);
});

test('an answer without end is not read, and one that does not come is not waited for', async () => {
  const endless = await receiver((_, response) => {
    response.writeHead(200);
    response.write('x'.repeat(1_000_000));
  });
  expect(await poster(['127.0.0.1'])(endless.url, '{}', SENT)).toEqual({ ok: true, status: 200 });
  const silent = await receiver(() => undefined);
  const post = poster(['127.0.0.1'], { timeoutMs: 50 });
  expect(await post(silent.url, '{}', SENT)).toEqual({ ok: false, reason: 'timed_out' });
});

test('whoever stops does not wait for an answer', async () => {
  const silent = await receiver(() => undefined);
  const stop = new AbortController();
  const sent = poster(['127.0.0.1'])(silent.url, '{}', { ...SENT, signal: stop.signal });
  stop.abort();
  expect(await sent).toEqual({ ok: false, reason: 'timed_out' });
});
