// Connections that have proved nothing yet: how many there are at once, and for how long.
import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { connect as connectSession, type ClientHttp2Session } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { writeCertificate } from '../test/certificate-files.ts';
import { closing, head, startApplication } from '../test/proxy-scene.ts';
import { readConfig } from './config/read-config.ts';
import { startGateway } from './gateway.ts';

const FLOODER = '127.0.0.2';
const HONEST = '127.0.0.3';
const FRONT_PROXY = '127.0.0.9';
const LIMITS = 'connections: 40, connectionsPerAddress: 10, handshakes: 20, handshakesPerAddress: 5';

const folder = mkdtempSync(join(tmpdir(), 'countersign-gateway-'));
beforeAll(() => writeCertificate(folder, 'a'));
afterAll(() => rmSync(folder, { recursive: true }));

type Listener = 'auth' | 'grpc' | 'proxy' | 'operation';

/** A gateway that needs no authority: every path is open. */
async function start(
  listener: Listener,
  { limits = LIMITS, tls = false } = {},
): Promise<{ port: number; metrics: () => Promise<string> }> {
  const { port: application } = await startApplication();
  const names = new Set([listener, 'proxy', 'operation']);
  const at = (name: string): string =>
    tls && name === listener
      ? `${name}: {address: '127.0.0.1:0', tls: {certificate: a.pem, key: a.key}}`
      : `${name}: '127.0.0.1:0'`;
  const gateway = await startGateway(
    readConfig(
      join(folder, 'gateway.yaml'),
      `issuer: https://a.example
listen: {${[...names].map(at).join(', ')}}
frontProxies: [${FRONT_PROXY}]
upstreams: {app: 'http://127.0.0.1:${application}'}
resources: {}
routes: [{prefix: /, public: true, upstream: app}]
limits: {drainTimeout: 0, ${limits}}
logLevel: error
`,
    ),
  );
  closing.push(() => gateway.stop());
  const { ready } = gateway;
  const { port } = new URL(ready[listener] as string);
  return { port: Number(port), metrics: () => textAt(`${ready.operation}/metrics`) };
}

function textAt(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { localAddress: FRONT_PROXY }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += String(chunk))).on('end', () => resolve(text));
    }).on('error', reject);
  });
}

interface Caller {
  readonly socket: Socket;
  readonly said: () => string;
  readonly closed: Promise<void>;
}

/** A connection from that address, which sends `text` and stays. */
async function from(localAddress: string, port: number, text = '', tls = false): Promise<Caller> {
  const options = { host: '127.0.0.1', port, localAddress, rejectUnauthorized: false };
  const socket = tls ? connectTls(options as object) : connect(options);
  let said = '';
  socket.on('data', (chunk: Buffer) => (said += String(chunk))).on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  closing.push(() => socket.destroy());
  await new Promise<void>((resolve) => {
    socket.once(tls ? 'secureConnect' : 'connect', () => resolve()).once('close', () => resolve());
  });
  socket.write(text);
  return { socket, said: () => said, closed };
}

/** What the gateway says to a request, or that it closed without a word. */
async function ask(caller: Caller): Promise<'answered' | 'closed'> {
  const before = caller.said().length;
  caller.socket.write(head('GET /a HTTP/1.1'));
  const answered = async (): Promise<'answered'> => {
    while (!caller.said().slice(before).includes('\r\n\r\n')) await sleep(5);
    return 'answered';
  };
  return await Promise.race([answered(), caller.closed.then(() => 'closed' as const)]);
}

/** Many at once; how many of them the gateway keeps. */
async function flood(count: number, localAddress: string, port: number, text: string): Promise<Caller[]> {
  return await Promise.all(Array.from({ length: count }, () => from(localAddress, port, text)));
}
const open = (callers: readonly Caller[]): number =>
  callers.filter(({ socket }) => !socket.destroyed && !socket.readableEnded).length;

async function until(metrics: () => Promise<string>, line: string): Promise<void> {
  let text = '';
  for (let i = 0; i < 200 && !text.includes(line); i++) {
    await sleep(10);
    text = await metrics();
  }
  expect(text).toContain(`${line}\n`);
}
const turnedAway = (listener: Listener, reason: string, count: number): string =>
  `countersign_gateway_turned_away_total{listener="${listener}",reason="${reason}"} ${count}`;

describe.each(['auth', 'proxy', 'operation'] as const)('the listener %s', (listener) => {
  test('keeps so many of one address that have sent no whole head, and serves who comes from elsewhere', async () => {
    const { port, metrics } = await start(listener);
    const flooding = await flood(30, FLOODER, port, 'GET /a HTTP/1.1\r\nHost: a.ex');
    await until(metrics, turnedAway(listener, 'too_many_handshakes', 25));
    expect(open(flooding)).toBe(5);
    expect(await ask(await from(HONEST, port))).toBe('answered');
  });

  test('keeps so many of one address that have sent requests', async () => {
    const { port, metrics } = await start(listener);
    for (let i = 0; i < 10; i++) expect(await ask(await from(FLOODER, port))).toBe('answered');
    expect(await ask(await from(FLOODER, port))).toBe('closed');
    await until(metrics, turnedAway(listener, 'too_many_connections', 1));
    expect(await ask(await from(HONEST, port))).toBe('answered');
  });

  test('answers one question after another on a connection, and ends with content that it does not read', async () => {
    const { port } = await start(listener);
    const caller = await from(FRONT_PROXY, port);
    for (let i = 0; i < 3; i++) expect(await ask(caller)).toBe('answered');
    if (listener === 'proxy') return;
    caller.socket.write(head('POST /a HTTP/1.1', 'Content-Length: 5'));
    await caller.closed;
  });

  test('takes more of a declared front proxy, which stands for many', async () => {
    const { port } = await start(listener);
    await flood(15, FRONT_PROXY, port, '');
    for (let i = 0; i < 15; i++) expect(await ask(await from(FRONT_PROXY, port))).toBe('answered');
  });
});

test('where all places of those without a head are taken, one of the address that has most of them gives way', async () => {
  const { port, metrics } = await start('proxy');
  const flooding = await Promise.all([4, 5, 6, 7].map((last) => flood(5, `127.0.0.${last}`, port, '')));
  expect(await ask(await from(HONEST, port))).toBe('answered');
  await until(metrics, turnedAway('proxy', 'too_many_handshakes', 1));
  const front = await from(FRONT_PROXY, port);
  expect(await ask(await from(HONEST, port))).toBe('answered');
  await until(metrics, turnedAway('proxy', 'too_many_handshakes', 2));
  expect([open(flooding.flat()), open([front])]).toEqual([18, 1]);
});

test('a place is given back with the end of its connection', async () => {
  const { port } = await start('proxy');
  for (let i = 0; i < 3; i++) {
    const callers = await flood(5, FLOODER, port, 'GET');
    expect(open(callers)).toBe(5);
    for (const { socket, closed } of callers) await (socket.destroy(), closed);
    await sleep(50);
  }
});

test('over TLS a place is given back with the first request', async () => {
  const { port, metrics } = await start('proxy', { tls: true });
  for (let i = 0; i < 10; i++) expect(await ask(await from(FLOODER, port, '', true))).toBe('answered');
  await flood(7, HONEST, port, 'no handshake');
  expect(await metrics()).not.toContain('listener="proxy",reason="too_many_handshakes"');
  await flood(7, '127.0.0.4', port, '');
  await until(metrics, turnedAway('proxy', 'too_many_handshakes', 2));
});

describe.each([false, true])('what is slow ends (TLS: %s)', (tls) => {
  const limits = 'headersTimeout: 1';
  test.each([
    ['nothing', ''],
    ['half a head', 'GET /a HTTP/1.1\r\nHost: a.ex'],
    ['half of a second head', `${head('GET /a HTTP/1.1')}GET /a HTTP/1.1\r\nX: `],
  ])('%s', async (_, text) => {
    const { port } = await start('proxy', { limits, tls });
    const { socket, closed } = await from(FLOODER, port, text, tls);
    if (text !== '') {
      const trickling = setInterval(() => socket.write('x'), 100);
      await closed.finally(() => clearInterval(trickling));
    }
    await closed;
  });

  test('a connection for gRPC that asks nothing', async () => {
    const { port } = await start('grpc', { limits, tls });
    await (await from(FRONT_PROXY, port, '')).closed;
  });
});

test('a TLS handshake that never comes', async () => {
  const { port } = await start('proxy', { limits: 'headersTimeout: 1', tls: true });
  await (await from(FLOODER, port)).closed;
});

describe('the listener for gRPC', () => {
  const sessions: ClientHttp2Session[] = [];
  afterEach(() => sessions.splice(0).forEach((session) => session.destroy()));
  const session = async (port: number): Promise<ClientHttp2Session> => {
    const made = connectSession(`http://127.0.0.1:${port}`, {
      createConnection: () => connect({ host: '127.0.0.1', port, localAddress: FRONT_PROXY }),
    });
    made.on('error', () => undefined);
    sessions.push(made);
    await new Promise<void>((resolve) => made.once('remoteSettings', () => resolve()).once('close', resolve));
    return made;
  };
  const statusOf = (made: ClientHttp2Session): Promise<number | undefined> =>
    new Promise((resolve) => {
      const stream = made.request({ ':path': '/none', ':method': 'POST' });
      stream.on('error', () => resolve(undefined)).on('close', () => resolve(undefined));
      stream.on('response', (headers) => resolve(headers[':status']));
      stream.end();
    });

  test('keeps who has asked, and ends who has not', async () => {
    const { port } = await start('grpc', { limits: 'headersTimeout: 1' });
    const [asking, silent] = [await session(port), await session(port)];
    expect(await statusOf(asking)).toBe(404);
    await new Promise<void>((resolve) => silent.once('close', resolve));
    expect(await statusOf(asking)).toBe(404);
  });

  test('has so many places in all', async () => {
    const { port, metrics } = await start('grpc', { limits: 'connections: 6, handshakes: 3' });
    for (let i = 0; i < 5; i++) expect(await statusOf(await session(port))).toBe(404);
    expect(open(await flood(2, FRONT_PROXY, port, ''))).toBeGreaterThan(0);
    await until(metrics, turnedAway('grpc', 'too_many_connections', 1));
  });
});
