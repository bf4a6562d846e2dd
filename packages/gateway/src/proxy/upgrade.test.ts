import type { AccessTokenClaims } from '@countersign/protocol';
import type { Refusal, Watched } from '@countersign/resource-server';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { closing, head, listen, speak, startProxy, statusOf } from '../../test/proxy-scene.ts';
import type { EdgeVerifier } from '../decision/decide.ts';

const claims = {
  client_id: 'payments',
  sub: 'payments',
  scope: ['read'],
  jti: 'j',
} as unknown as AccessTokenClaims;

/** A verifier that takes one token, until `end`. */
function verifierThatEnds(): { verifier: EdgeVerifier; end(): void; stopped(): number } {
  const ending = new AbortController();
  let stopped = 0;
  const refusal = (): Refusal => ({
    ok: false,
    status: 401,
    error: undefined,
    reason: 'no_token',
    detail: undefined,
    headers: { 'WWW-Authenticate': 'Bearer' },
  });
  const watched = {
    ok: true,
    claims,
    scopes: ['read'],
    signal: ending.signal,
    renew: () => Promise.resolve(refusal()),
    stop: () => void stopped++,
  } as unknown as Watched;
  return {
    verifier: {
      verify: () => Promise.resolve(refusal()),
      watch: (token) => Promise.resolve(token === 'good' ? watched : refusal()),
      refuse: refusal,
      certificateOf: () => undefined,
      takesApiKeys: false,
    },
    end: () => ending.abort(),
    stopped: () => stopped,
  };
}

/** An application that joins every upgrade and says back what it hears; `/refused` is answered with 403. */
async function startEcho(): Promise<{ port: number; heads: string[][] }> {
  const heads: string[][] = [];
  const sockets = new Set<Socket>();
  const server = createServer((_request, response) => response.end('plain'));
  server.on('upgrade', (request, socket, early: Buffer) => {
    sockets.add(socket as Socket);
    heads.push(request.rawHeaders);
    socket.on('error', () => undefined);
    if (request.url?.endsWith('refused') === true) {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nX-Why: x\r\n\r\nno');
      return;
    }
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Proto: y\r\n\r\nhello ',
    );
    socket.write(early);
    socket.pipe(socket);
  });
  closing.push(() => sockets.forEach((socket) => socket.destroy()));
  return { port: await listen(server), heads };
}

const upgrade = (path: string, ...lines: string[]): string =>
  head(`GET ${path} HTTP/1.1`, 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: k', ...lines);

/** Joins, and keeps what it hears. */
async function join(
  port: number,
  text: string,
): Promise<{ socket: Socket; heard(): string; closed: Promise<void> }> {
  let heard = '';
  const socket = connect(port, '127.0.0.1', () => socket.write(text));
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  closing.push(() => socket.destroy());
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  for (let i = 0; i < 100 && !heard.includes('hello'); i++) await sleep(10);
  return { socket, heard: () => heard, closed };
}

async function becomes(wanted: number, value: () => number): Promise<void> {
  for (let i = 0; i < 200 && value() !== wanted; i++) await sleep(10);
  expect(value()).toBe(wanted);
}

describe('a WebSocket', () => {
  it('passes in both directions, with what its sender was in a hurry to say', async () => {
    const { port, heads } = await startEcho();
    const { socket, heard } = await join(
      await startProxy(port),
      `${upgrade('/open', 'Countersign-Client-Id: x')}early `,
    );
    socket.write('later');
    for (let i = 0; i < 100 && !heard().includes('later'); i++) await sleep(10);
    expect(heard()).toMatch(
      /^HTTP\/1\.1 101 Switching Protocols\r\nX-Proto: y\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello early later$/,
    );
    expect(heads[0]).toEqual(expect.arrayContaining(['Sec-WebSocket-Key', 'k', 'Upgrade', 'websocket']));
    expect(heads[0]?.join()).not.toContain('Countersign');
  });

  it('of a token ends with it, and the token is watched no longer than that', async () => {
    const { port, heads } = await startEcho();
    const { verifier, end, stopped } = verifierThatEnds();
    const proxy = await startProxy(port, '', verifier);
    const first = await join(proxy, upgrade('/token', 'Authorization: Bearer good'));
    expect(heads[0]).toEqual(expect.arrayContaining(['Countersign-Client-Id', 'payments']));
    expect(heads[0]?.join()).not.toContain('good');
    first.socket.destroy();
    await becomes(1, stopped);
    const second = await join(proxy, upgrade('/token', 'Authorization: Bearer good'));
    end();
    await second.closed;
    await becomes(2, stopped);
    const third = await join(proxy, upgrade('/token', 'Authorization: Bearer good'));
    await third.closed;
  });

  it('without a token, or to nowhere, is refused as any request is', async () => {
    const { port, heads } = await startEcho();
    const { verifier } = verifierThatEnds();
    const proxy = await startProxy(port, '', verifier);
    const refused = await speak(proxy, [upgrade('/token')]);
    expect(refused).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
    expect(refused).toContain('WWW-Authenticate: Bearer\r\n');
    expect(refused).toContain('Connection: close\r\n');
    expect(statusOf(await speak(proxy, [upgrade('/other')]))).toBe(403);
    expect(statusOf(await speak(proxy, [upgrade('/open/../token')]))).toBe(400);
    expect(heads).toEqual([]);
  });

  it('that its application refuses is answered so', async () => {
    const { port } = await startEcho();
    const text = await speak(await startProxy(port), [upgrade('/open/refused')]);
    expect(text).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    expect(text).toContain('X-Why: x\r\n');
    expect(text.endsWith('\r\n\r\nno')).toBe(true);
  });

  it('that is silent for too long ends', async () => {
    const { port } = await startEcho();
    const { closed } = await join(await startProxy(port, 'upstreamTimeout: 1'), upgrade('/open'));
    const started = Date.now();
    await closed;
    expect(Date.now() - started).toBeLessThan(3000);
  });

  it('counts as a request under way', async () => {
    const { port } = await startEcho();
    const proxy = await startProxy(port, 'inFlight: 1');
    const { socket } = await join(proxy, upgrade('/open'));
    expect(statusOf(await speak(proxy, [upgrade('/open')]))).toBe(503);
    expect(statusOf(await speak(proxy, [head('GET /open HTTP/1.1', 'Connection: close')]))).toBe(503);
    socket.destroy();
    await sleep(100);
    expect(statusOf(await speak(proxy, [head('GET /open HTTP/1.1', 'Connection: close')]))).toBe(200);
  });

  it.each([
    ['another protocol', head('GET /open HTTP/1.1', 'Connection: Upgrade', 'Upgrade: h2c')],
    ['two protocols', upgrade('/open', 'Upgrade: h2c')],
    ['another method', upgrade('/open').replace('GET', 'POST')],
    ['content', upgrade('/open', 'Content-Length: 5')],
    ['chunks', upgrade('/open', 'Transfer-Encoding: chunked')],
    ['much before the answer', `${upgrade('/open')}${'x'.repeat(20_000)}`],
  ])('with %s is none, and nothing is passed on', async (_, bytes) => {
    const { port, heads } = await startEcho();
    expect(statusOf(await speak(await startProxy(port), [bytes], (text) => text.includes('\r\n\r\n')))).toBe(
      501,
    );
    expect(heads).toEqual([]);
  });
});

describe('server-sent events', () => {
  async function startEvents(type: string): Promise<number> {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'Content-Type': type });
      response.write('data: hello\n\n');
    });
    closing.push(() => server.closeAllConnections());
    return listen(server);
  }
  const request = head('GET /token/events HTTP/1.1', 'Authorization: Bearer good');

  it('end with their token, which is watched no longer than that', async () => {
    const { verifier, end, stopped } = verifierThatEnds();
    const proxy = await startProxy(await startEvents('text/event-stream; charset=utf-8'), '', verifier);
    const { heard, closed } = await join(proxy, request);
    expect(heard()).toContain('data: hello');
    end();
    await closed;
    await becomes(1, stopped);
  });

  it('end at once when their token has ended before they begin', async () => {
    const { verifier, end } = verifierThatEnds();
    const proxy = await startProxy(await startEvents('text/event-stream'), '', verifier);
    end();
    const { closed } = await join(proxy, request);
    await closed;
  });

  it('are what ends so: any other answer that has begun is given whole', async () => {
    const { verifier, end, stopped } = verifierThatEnds();
    const proxy = await startProxy(await startEvents('application/octet-stream'), '', verifier);
    const { socket, heard } = await join(proxy, request);
    end();
    await sleep(100);
    expect([heard().includes('hello'), socket.closed, stopped()]).toEqual([true, false, 0]);
    socket.destroy();
    await becomes(1, stopped);
  });
});
