import { connect } from 'node:net';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
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

/** A request that is read without the HTTP library, and the same one that is left to it. */
const PLAIN = requestText('POST /oauth/token', ['X-A: b'], 'form');
const ODD = requestText('POST /oauth/token', ['X-A:  b'], 'form');
const LAST = requestText('POST /oauth/token', ['Connection: close'], 'last');
const SLOW = requestText('POST /oauth/token?slow', [], 'first');

/** All that a connection brings until it ends, without what differs between two answers. */
async function exchange(port: number, texts: readonly string[], half = false): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let heard = '';
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')));
  const over = new Promise((resolve) => socket.once('end', resolve).once('close', resolve));
  socket.on('error', () => undefined);
  for (const text of texts) {
    const before = heard.length;
    socket.write(text);
    if (text !== texts.at(-1)) await expect.poll(() => heard.length).toBeGreaterThan(before);
  }
  if (half) socket.end();
  await over;
  socket.destroy();
  return heard.replace(/Request-Id: \S+/g, 'Request-Id: …').replace(/Date: [^\r]+/g, 'Date: …');
}

describe('a plain request', () => {
  it.each([
    ['an answer', 'form'],
    ['a bug', 'throw'],
    ['a bug outside of the promise', 'throw at once'],
    ['a header that could not be sent', 'a bad header'],
    ['characters beyond ASCII', '\xc3\xa9'],
  ])('is answered with the same bytes as any other: %s', async (_, body) => {
    const { port, bugs } = await open();
    const plain = requestText('POST /oauth/token', ['X-A: b'], '').replace(
      /\r\n\r\n$/,
      `\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    const bytes = (text: string): string => Buffer.from(text, 'latin1').toString('latin1');
    const own = await exchange(port, [bytes(plain), LAST]);
    const library = await exchange(port, [bytes(plain).replace('X-A: b', 'X-A:  b'), LAST]);
    expect(own).toBe(library);
    expect(own).toMatch(/\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n/);
    expect(bugs.length).toBe(body === 'form' || body.startsWith('\xc3') ? 0 : 2);
  });

  it('may follow another one on its connection, and an odd one may follow it, and again a plain one', async () => {
    const { port, seen } = await open();
    const connection = rawConnection(port);
    for (const text of [PLAIN, PLAIN, ODD, PLAIN, requestText('GET /healthz'), PLAIN]) {
      connection.write(text);
      expect((await connection.next()).status).toBe(200);
    }
    expect(
      new Set(seen.map(({ rawHeaders, body, source }) => [rawHeaders[3], body.length, source].join())).size,
    ).toBe(1);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(5);
    connection.socket.destroy();
  });

  it('that comes before its forerunner is answered is answered after it', async () => {
    const { port, seen, waiting, release } = await open();
    const connection = rawConnection(port);
    connection.write(SLOW);
    await expect.poll(waiting).toBe(1);
    connection.write(PLAIN);
    await new Promise((resolve) => setTimeout(resolve, 50));
    connection.write(ODD);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(seen).toHaveLength(1);
    release();
    const bodies = [await connection.next(), await connection.next(), await connection.next()];
    expect(bodies.map(({ body }) => (JSON.parse(body) as { body: string }).body)).toEqual([
      'first',
      'form',
      'form',
    ]);
    connection.socket.destroy();
  });

  it('is answered also when its caller has nothing more to say, and the connection ends then', async () => {
    const { port } = await open();
    expect(await exchange(port, [PLAIN], true)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('of a caller that has gone meanwhile hurts nobody', async () => {
    const { port, bugs, waiting, release } = await open();
    const connection = rawConnection(port);
    connection.write(SLOW);
    await expect.poll(waiting).toBe(1);
    connection.socket.resetAndDestroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    release();
    expect(await exchange(port, [PLAIN, LAST])).toContain('200 OK');
    expect(bugs).toEqual([]);
  });

  it('is read over TLS as well, and so is what follows it', async () => {
    const { edge } = await open();
    const directory = mkdtempSync(join(tmpdir(), 'countersign-plain-'));
    try {
      const {
        certificate: cert,
        privateKey: key,
        caFile,
      } = await makeCertificate(directory, Date.now(), pooledRandom());
      const port = await edge.listen({ host: '127.0.0.1', port: 0, tls: { cert, key } });
      const socket = connectTls({
        port,
        host: '127.0.0.1',
        servername: 'localhost',
        ca: readFileSync(caFile, 'utf8'),
      });
      let heard = '';
      socket.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')));
      const closed = new Promise((resolve) => socket.once('close', resolve));
      for (const [at, text] of [PLAIN, PLAIN, ODD, LAST].entries()) {
        socket.write(text);
        await expect.poll(() => heard.match(/HTTP\/1\.1 200/g)?.length).toBe(at + 1);
      }
      await closed;
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

describe('a connection of plain requests', () => {
  it('is closed when none has come for a while', async () => {
    const { port } = await open({ limits: { keepAliveTimeout: 1000 } });
    const connection = rawConnection(port);
    connection.write(PLAIN);
    expect((await connection.next()).headers['keep-alive']).toBe('timeout=1');
    const begin = performance.now();
    await connection.ended;
    expect(performance.now() - begin).toBeGreaterThan(950);
  });

  it('on which nothing was ever sent is told so and cut', async () => {
    const { port } = await open({ limits: { headersTimeout: 300 } });
    const answer = await exchange(port, []);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it('is cut when its answer takes longer than any may', async () => {
    const { port, waiting } = await open({ limits: { stalledTimeout: 300 } });
    const connection = rawConnection(port);
    connection.write(SLOW);
    await connection.ended;
    expect(waiting()).toBe(1);
  });

  it('ends with a drain: after the answer that it owes, and at once when it owes none', async () => {
    const { edge, port, waiting, release } = await open();
    const idle = rawConnection(port);
    idle.write(PLAIN);
    await idle.next();
    const busy = rawConnection(port);
    busy.write(SLOW);
    await expect.poll(waiting).toBe(1);
    const draining = edge.drain(5000);
    await idle.ended;
    release();
    const { status, headers } = await busy.next();
    expect([status, headers['connection'], headers['keep-alive']]).toEqual([200, 'close', undefined]);
    await busy.ended;
    await draining;
  });

  it('before anything is served is told to come again, and served later', async () => {
    const { port } = await open({ serve: false });
    const connection = rawConnection(port);
    connection.write(PLAIN);
    expect((await connection.next()).status).toBe(503);
    connection.socket.destroy();
  });
});
