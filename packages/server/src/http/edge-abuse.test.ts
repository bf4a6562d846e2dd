import { connect } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { type EdgeScene, openEdge } from '../../test/edge-scene.ts';

let scene: EdgeScene | undefined;
afterEach(() => scene?.close());

/** Sends text on a connection of its own and gives what came back when the other side has closed, or after `ms`. */
function exchange(port: number, text: string, ms = 2000): Promise<{ text: string; closed: boolean }> {
  return new Promise((resolve) => {
    let got = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    const end = (closed: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text: got, closed });
    };
    const timer = setTimeout(() => end(false), ms);
    socket.on('data', (chunk) => (got += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => end(true));
  });
}

const HELD = 'GET /slow HTTP/1.1\r\nHost: here\r\n\r\n';

it('a connection with more requests in flight than anybody needs is cut, and others are served', async () => {
  scene = await openEdge();
  const flood = await exchange(scene.port, HELD.repeat(60));
  expect(flood).toEqual({ text: '', closed: true });
  expect(scene.seen.length).toBeLessThanOrEqual(16);
  const other = await exchange(
    scene.port,
    'GET /healthz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n',
  );
  expect(other.text).toMatch(/^HTTP\/1\.1 200/);
});

it('sixteen on one connection are answered, in order, as often as they come', async () => {
  scene = await openEdge();
  const one = 'GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n';
  const first = await exchange(scene.port, one.repeat(16), 500);
  expect(first.text.match(/HTTP\/1\.1 200/g)).toHaveLength(16);
});

it('more header fields than anybody sends are refused: Node would drop the rest unseen', async () => {
  scene = await openEdge();
  const fields = Array.from({ length: 101 }, (_, at) => `X-${at}: 1\r\n`).join('');
  const { text } = await exchange(scene.port, `GET /healthz HTTP/1.1\r\nHost: here\r\n${fields}\r\n`);
  expect(text).toMatch(/^HTTP\/1\.1 400/);
});

it('where a proxy takes TLS off, nobody else is served in the clear', async () => {
  scene = await openEdge({ proxies: ['10.9.9.9'], clearOnlyFromProxies: true });
  expect(await exchange(scene.port, HELD)).toEqual({ text: '', closed: true });
  await scene.close();
  scene = await openEdge({ proxies: ['127.0.0.1'], clearOnlyFromProxies: true });
  const { text } = await exchange(
    scene.port,
    'GET /healthz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n',
  );
  expect(text).toMatch(/^HTTP\/1\.1 200/);
});
