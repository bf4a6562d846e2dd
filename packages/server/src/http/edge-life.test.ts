import { Agent, get } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EdgeScene, openEdge, rawConnection, requestText } from '../../test/edge-scene.ts';
import { pooledRandom } from '../ids.ts';
import { makeCertificate } from './development-ca.ts';

let scene: EdgeScene | undefined;
afterEach(async () => {
  await scene?.close();
  scene = undefined;
});
async function open(change: Parameters<typeof openEdge>[0] = {}): Promise<EdgeScene> {
  scene = await openEdge(change);
  return scene;
}
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
async function took(work: Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work;
  return performance.now() - begin;
}

describe('before it serves', () => {
  it('answers 503 at once, also to bodies, and the same connection is served afterwards', async () => {
    const { edge, port } = await open({ serve: false });
    const connection = rawConnection(port);
    for (const text of [requestText('GET /healthz'), requestText('POST /oauth/token', [], 'x'.repeat(500))]) {
      connection.write(text);
      const answer = await connection.next();
      expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
      expect(answer.headers['request-id']).toMatch(/^req_/);
    }
    await edge.serve([
      {
        method: 'GET',
        path: '/x',
        endpoint: async () => ({ status: 200, headers: {}, body: 'x' }),
        bodyLimit: 0,
        errors: 'plain',
      },
    ]);
    connection.write(requestText('GET /x'));
    expect(await connection.next()).toMatchObject({ status: 200, body: 'x' });
    connection.socket.destroy();
  });

  it('tells when its port is taken', async () => {
    const { edge, port } = await open();
    await expect(edge.listen({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

describe('a caller that takes its time', () => {
  const limits = { headersTimeout: 300, requestTimeout: 300 };

  it.each([
    ['with headers', 'GET /healthz HTTP/1.1\r\nHost: a\r\nX-'],
    [
      'with the body at the token endpoint',
      'POST /oauth/token HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nab',
    ],
    ['with the body elsewhere', 'POST /v1/things HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nab'],
  ])('%s is told so and cut', async (_, text) => {
    const { port, seen } = await open({ limits });
    const connection = rawConnection(port);
    const drip = setInterval(() => connection.write('a'), 200);
    connection.write(text);
    try {
      const answer = await connection.next();
      expect([answer.status, answer.headers['connection']]).toEqual([408, 'close']);
      await connection.ended;
    } finally {
      clearInterval(drip);
      connection.socket.destroy();
    }
    expect(seen).toEqual([]);
  });

  it('after a request that is still being answered does not spoil that answer', async () => {
    const { port, waiting, release } = await open({ limits });
    const connection = rawConnection(port);
    connection.write(
      `${requestText('POST /oauth/token?slow', [], 'first')}POST /oauth/token HTTP/1.1\r\nHost: a\r\n`,
    );
    await expect.poll(waiting).toBe(1);
    const answer = connection.next();
    await pause(1800);
    release();
    expect(await answer).toMatchObject({ status: 200, body: expect.stringContaining('first') });
    connection.socket.destroy();
  });

  it('is none when only the answer takes time', async () => {
    const { port, waiting, release } = await open({ limits });
    const connection = rawConnection(port);
    connection.write(requestText('POST /oauth/token?slow', [], 'first'));
    await expect.poll(waiting).toBe(1);
    await pause(1500);
    release();
    expect(await connection.next()).toMatchObject({ status: 200 });
    connection.socket.destroy();
  });
});

describe('connections', () => {
  it('are bounded in number: more are closed at once', async () => {
    const { port } = await open({ limits: { maxConnections: 2 } });
    const held = [rawConnection(port), rawConnection(port)];
    for (const each of held) {
      each.write(requestText('GET /healthz'));
      await each.next();
    }
    await rawConnection(port).ended;
    held[0]?.socket.destroy();
    await pause(20);
    const again = rawConnection(port);
    again.write(requestText('GET /healthz'));
    expect((await again.next()).status).toBe(200);
    for (const each of [...held, again]) each.socket.destroy();
  });
});

describe('a connection', () => {
  it('that sends on and on without waiting for answers is cut', async () => {
    const { port, waiting } = await open();
    const greedy = rawConnection(port);
    greedy.write(requestText('GET /slow').repeat(40));
    await greedy.ended;
    expect(waiting()).toBeLessThanOrEqual(16);
    const modest = rawConnection(port);
    modest.write(requestText('GET /healthz').repeat(10));
    for (let i = 0; i < 10; i++) expect((await modest.next()).status).toBe(200);
    modest.write(requestText('GET /healthz').repeat(10));
    for (let i = 0; i < 10; i++) expect((await modest.next()).status).toBe(200);
    modest.socket.destroy();
  });

  it('in the clear is taken from declared proxies alone, where that is wanted', async () => {
    const strict = await open({ clearOnlyFromProxies: true, proxies: ['10.0.0.0/8'] });
    const stranger = rawConnection(strict.port);
    stranger.write(requestText('GET /healthz'));
    await expect(stranger.next()).rejects.toThrow('the connection ended');
    await strict.close();
    const behind = await open({ clearOnlyFromProxies: true, proxies: ['127.0.0.1'] });
    const proxy = rawConnection(behind.port);
    proxy.write(requestText('POST /oauth/token', ['X-Forwarded-For: 198.51.100.9'], 'x'));
    expect((await proxy.next()).status).toBe(200);
    expect(behind.seen[0]?.source).toBe('198.51.100.9');
    proxy.socket.destroy();
  });

  it('has its own address, whatever it claims to forward', async () => {
    const { port, seen } = await open();
    const connection = rawConnection(port);
    for (const line of ['POST /oauth/token', 'POST /v1/things']) {
      connection.write(
        requestText(line, ['X-Forwarded-For: 198.51.100.9', 'Forwarded: for=198.51.100.9'], 'x'),
      );
      await connection.next();
    }
    expect(seen.map((request) => request.source)).toEqual(['127.0.0.1', '127.0.0.1']);
    connection.socket.destroy();
  });
});

describe('a caller that was refused and stays', () => {
  it.each([
    ['with nonsense', 'NONSENSE\r\n\r\n', 400],
    [
      'with a body that is too large',
      requestText('POST /oauth/token', ['Content-Length: 999999']) + 'x'.repeat(2000),
      413,
    ],
  ])('%s is cut after a while', async (_, text, status) => {
    const { port } = await open();
    const socket = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true });
    let heard = '';
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.write(text);
    const more = setInterval(() => socket.write('x'), 50);
    expect(await took(gone)).toBeLessThan(4000);
    clearInterval(more);
    expect(heard).toContain(`HTTP/1.1 ${status} `);
  });
});

describe('a drain', () => {
  it('lets what is in flight end, closes what is idle, and takes nothing new', async () => {
    const { edge, port, waiting, release } = await open();
    const idle = rawConnection(port);
    idle.write(requestText('GET /healthz'));
    await idle.next();
    const fresh = rawConnection(port);
    const busy = [requestText('POST /oauth/token?slow', [], 'in flight'), requestText('GET /slow?x')].map(
      (text) => {
        const connection = rawConnection(port);
        connection.write(text);
        return connection;
      },
    );
    await expect.poll(waiting).toBe(2);
    let drained = false;
    const draining = edge.drain(5000).then(() => (drained = true));
    await Promise.all([idle.ended, fresh.ended]);
    await expect(
      new Promise((resolve, reject) => connectTcp(port, '127.0.0.1', () => resolve(1)).on('error', reject)),
    ).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await pause(50);
    expect(drained).toBe(false);
    release();
    const bodies = await Promise.all(busy.map(async (each) => (await each.next()).body));
    expect(bodies[0]).toContain('in flight');
    expect(bodies[1]).toBe('slow x\n');
    expect(await took(draining)).toBeLessThan(1000);
  });

  it('does not wait for a caller that keeps its connection after its answer', async () => {
    const { edge, port, waiting, release } = await open();
    const agent = new Agent({ keepAlive: true });
    const answered = new Promise<number | undefined>((resolve, reject) => {
      get({ port, host: '127.0.0.1', path: '/slow', agent }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode));
      }).on('error', reject);
    });
    const token = rawConnection(port);
    token.write(requestText('POST /oauth/token?slow', [], 'x'));
    await expect.poll(waiting).toBe(2);
    const draining = edge.drain(5000);
    release();
    expect(await answered).toBe(200);
    const told = await token.next();
    expect(told.status).toBe(200);
    expect(await took(draining)).toBeLessThan(1000);
    await token.ended;
    agent.destroy();
  });

  it('cuts what does not end in time', async () => {
    const { edge, port, waiting } = await open();
    const connection = rawConnection(port);
    connection.write(requestText('GET /slow'));
    const half = rawConnection(port);
    half.write('POST /oauth/token HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nab');
    await expect.poll(waiting).toBe(1);
    const ms = await took(edge.drain(200));
    expect(ms).toBeGreaterThan(150);
    expect(ms).toBeLessThan(1500);
    await Promise.all([connection.ended, half.ended]);
  });

  it('may come before it ever listened, and twice', async () => {
    const { edge } = await open();
    await edge.drain(0);
    await edge.drain(0);
  });
});

describe('a connection without a sign of life', () => {
  it('is cut, whether it waits for an answer or does not read the one that it asked for', async () => {
    const { port, waiting } = await open({ limits: { stalledTimeout: 300 } });
    const connection = rawConnection(port);
    connection.write(requestText('GET /slow'));
    const begin = performance.now();
    await connection.ended;
    expect(performance.now() - begin).toBeGreaterThan(250);
    expect(waiting()).toBe(1);
  });

  it('is kept for as long as what it asked for may take, and then cut', async () => {
    const { port, release, waiting } = await open({ limits: { stalledTimeout: 300 } });
    const connection = rawConnection(port);
    connection.write(requestText('GET /long'));
    await pause(900);
    release();
    expect((await connection.next()).status).toBe(200);
    // The next request on it has the time that others have.
    const begin = performance.now();
    connection.write(requestText('GET /slow'));
    await connection.ended;
    expect(performance.now() - begin).toBeLessThan(1400);
    const other = rawConnection(port);
    other.write(requestText('GET /long'));
    await other.ended;
    expect(waiting()).toBe(2);
  });

  it('is kept while its answer takes less', async () => {
    const { port, release } = await open({ limits: { stalledTimeout: 1000 } });
    const connection = rawConnection(port);
    connection.write(requestText('GET /slow'));
    await pause(400);
    release();
    expect((await connection.next()).status).toBe(200);
    connection.socket.destroy();
  });
});

describe('over TLS', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'countersign-edge-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('who does not finish the handshake is cut after the time that headers have', async () => {
    const { edge } = await open({ limits: { headersTimeout: 300 } });
    const made = await makeCertificate(directory, Date.now(), pooledRandom());
    const tls = { cert: made.certificate, key: made.privateKey };
    const port = await edge.listen({ host: '127.0.0.1', port: 0, tls });
    const begin = performance.now();
    const mute = rawConnection(port);
    await mute.ended;
    expect(performance.now() - begin).toBeGreaterThan(250);
    expect(performance.now() - begin).toBeLessThan(3000);
  });

  it('a drain waits for nobody who never finished the handshake', async () => {
    const { edge } = await open();
    const made = await makeCertificate(directory, Date.now(), pooledRandom());
    const port = await edge.listen({
      host: '127.0.0.1',
      port: 0,
      tls: { cert: made.certificate, key: made.privateKey },
    });
    const mute = rawConnection(port);
    const ca = readFileSync(made.caFile, 'utf8');
    const idle = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca });
    await new Promise((resolve, reject) => idle.once('secureConnect', resolve).once('error', reject));
    idle.on('error', () => undefined);
    await pause(50);
    expect(await took(edge.drain(300))).toBeLessThan(2000);
    await mute.ended;
    idle.destroy();
  });
});
