import { createServer, request, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { send } from '../wire/exchange.ts';
import { mayStartServers } from '../wire/target.ts';
import { type FrontScene, gatewayConfig, HOST, openFrontScene } from './front-scene.ts';

// Each of these starts servers of its own.
vi.setConfig({ testTimeout: 180_000 });

// RFC 6455 through the gateway as the proxy.
describe.runIf(mayStartServers())('a WebSocket through the gateway (needs the countersign command)', () => {
  let scene: FrontScene | undefined;
  let echo: Server | undefined;
  const sockets: Socket[] = [];
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await scene?.close();
    echo?.close();
  });

  test('ends within two seconds of the order that cuts its caller off', async () => {
    echo = createServer();
    const callers: (string | string[] | undefined)[] = [];
    echo.on('upgrade', (message, socket) => {
      sockets.push(socket as Socket);
      callers.push(message.headers['countersign-subject']);
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) => echo?.listen(0, '127.0.0.1', resolve));
    const { port } = echo.address() as AddressInfo;
    scene = await openFrontScene('gateway-websocket', (parts) =>
      gatewayConfig(parts, { listen: "proxy: '127.0.0.1:0'", upstream: `127.0.0.1:${port}` }),
    );
    const { token, identity } = await scene.disposable();
    const proxy = scene.gateway.ready.proxy as string;
    const socket = await join(`${proxy}/orders/7`, token);
    sockets.push(socket);
    const closed = new Promise<number>((resolve) => socket.once('close', () => resolve(Date.now())));
    const heard = new Promise<string>((resolve) =>
      socket.once('data', (chunk: Buffer) => resolve(String(chunk))),
    );
    socket.write('still here');
    expect(await heard).toBe('still here');
    expect(callers).toEqual([expect.stringMatching(/./)]);
    await sleep(1000);
    expect(socket.destroyed).toBe(false);
    const ordered = Date.now();
    await scene.scene.admin.must('POST', '/cutoffs', {
      kind: 'identity',
      id: identity,
      reason: 'conformance',
    });
    expect((await closed) - ordered).toBeLessThan(2000);
    const { text } = await send(`${scene.gateway.ready.operation}/metrics`);
    expect(text).toContain('countersign_gateway_in_flight 0\n');
  });
});

function join(url: string, token: string): Promise<Socket> {
  const headers = {
    Host: HOST,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    Authorization: `Bearer ${token}`,
  };
  return new Promise((resolve, reject) => {
    request(url, { headers })
      .once('upgrade', (_message, socket) => resolve(socket.on('error', () => undefined) as Socket))
      .once('response', (answer) => reject(new Error(`not joined: ${answer.statusCode}`)))
      .once('error', reject)
      .end();
  });
}
