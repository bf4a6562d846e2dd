// Streams that are over before they have begun: the caller hangs up, or its token ends, while the API is still making its answer.
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { WebSocket, WebSocketServer } from 'ws';
import { afterEach, describe, expect, it } from 'vitest';
import { serve } from '../../test/frameworks/over-http.ts';
import { AUDIENCE } from '../../test/tiny-issuer.ts';
import { NOW, verifierScene } from '../../test/verifier-scene.ts';
import type { Verifier } from '../verifier.ts';
import type { Watched } from '../watch.ts';
import * as inFetch from './fetch.ts';
import { requireScopes } from './grpc.ts';
import * as inNode from './node-http.ts';
import { closeWith, watchScope as watchUpgrade } from './websocket.ts';

const SCOPE = 'fraud:read';
const scene = verifierScene();
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const bearer = (): { authorization: string } => ({ authorization: `Bearer ${scene.tiny.token()}` });

/** A verifier that tells how many tokens it watches. `let`: an answer is held back until then. */
function counting(): { verifier: Verifier; watched: () => number; let: () => void; asked: () => number } {
  const real = scene.open();
  const watched = new Set<Watched>();
  let go: () => void = () => undefined;
  let asked = 0;
  const held = new Promise<void>((resolve) => (go = resolve));
  const watch: Verifier['watch'] = async (...given) => {
    asked++;
    await held;
    const result = await real.watch(...given);
    if (!result.ok) return result;
    watched.add(result);
    const stop = result.stop.bind(result);
    result.stop = () => {
      watched.delete(result);
      stop();
    };
    result.signal.addEventListener('abort', () => watched.delete(result));
    return result;
  };
  return { verifier: { ...real, watch }, watched: () => watched.size, let: go, asked: () => asked };
}

describe('a token is not watched any more', () => {
  it('when the caller of node:http hung up while it was looked at', async () => {
    const { verifier, watched, let: go, asked } = counting();
    const guard = inNode.watchScope(verifier, SCOPE);
    const begun: unknown[] = [];
    const { base, close } = await serve((request, response) => {
      void guard(request, response).then((found) => begun.push(found));
    });
    closers.push(close);
    const stop = new AbortController();
    const response = fetch(base, { headers: bearer(), signal: stop.signal }).catch(() => undefined);
    await expect.poll(asked).toBe(1);
    stop.abort();
    await response;
    await pause(100);
    go();
    await expect.poll(() => begun).toEqual([undefined]);
    expect(watched()).toBe(0);
  });

  it('when the caller of an upgrade hung up while it was looked at', async () => {
    const { verifier, watched, let: go, asked } = counting();
    const guard = watchUpgrade(verifier, SCOPE);
    const begun: unknown[] = [];
    const { server, close } = await serve((_, response) => response.end());
    closers.push(close);
    server.on('upgrade', (request, socket) => {
      void guard(request, socket).then((found) => begun.push(found));
    });
    const socket = await upgrade(server.address());
    await expect.poll(asked).toBe(1);
    socket.resetAndDestroy();
    await pause(100);
    go();
    await expect.poll(() => begun).toEqual([undefined]);
    expect(watched()).toBe(0);
  });

  it('when an upgrade came to nothing', async () => {
    const { verifier, watched, let: go } = counting();
    go();
    const guard = watchUpgrade(verifier, SCOPE);
    const { server, close } = await serve((_, response) => response.end());
    closers.push(close);
    server.on('upgrade', (request, socket) => {
      void guard(request, socket).then(() => pause(50).then(() => socket.destroy()));
    });
    await upgrade(server.address());
    await expect.poll(watched).toBe(1);
    await expect.poll(watched).toBe(0);
  });

  it.each<[string, () => Response]>([
    [
      'fails',
      () => {
        throw new Error('no');
      },
    ],
    ['answers without content', () => new Response(null, { status: 204 })],
    ['breaks off', () => new Response(new ReadableStream({ pull: (to) => to.error(new Error('no')) }))],
  ])('when the handler of fetch %s', async (_, handler) => {
    const { verifier, watched, let: go } = counting();
    go();
    const answer = inFetch.watchScope(
      verifier,
      SCOPE,
      handler,
    )(new Request('https://a.example', { headers: bearer() }));
    await answer.then((response) => response.text()).catch(() => undefined);
    expect(watched()).toBe(0);
  });

  it('when a gRPC call was cancelled while it was looked at', async () => {
    const { verifier, watched, let: go, asked } = counting();
    const path = '/fraud.Cases/Watch';
    const bytes = {
      serialize: (text: string) => Buffer.from(text),
      deserialize: (read: Buffer) => read.toString(),
    };
    const server = new grpc.Server({ interceptors: [requireScopes(verifier, grpc, { [path]: SCOPE })] });
    const { serialize, deserialize } = bytes;
    const definition = {
      path,
      requestStream: false,
      responseStream: true,
      requestSerialize: serialize,
      requestDeserialize: deserialize,
      responseSerialize: serialize,
      responseDeserialize: deserialize,
    };
    const watch: grpc.handleServerStreamingCall<string, string> = (call) => void call.write('hello');
    server.addService({ watch: definition }, { watch });
    const port = await new Promise<number>((resolve) => {
      server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (_, bound) => resolve(bound));
    });
    const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    closers.push(
      () => server.forceShutdown(),
      () => client.close(),
    );
    const metadata = new grpc.Metadata();
    metadata.set('authorization', bearer().authorization);
    const call = client.makeServerStreamRequest(path, serialize, deserialize, 'all', metadata);
    call.on('error', () => undefined);
    await expect.poll(asked).toBe(1);
    call.cancel();
    await pause(100);
    go();
    await pause(100);
    expect(watched()).toBe(0);
  });
});

describe('a token that ends while the answer is made', () => {
  it('ends the content of a handler of fetch', async () => {
    const events = new ReadableStream<Uint8Array>({
      start: (to) => to.enqueue(new TextEncoder().encode('a')),
    });
    const handler = inFetch.watchScope(scene.open(), SCOPE, async (_request, { signal }) => {
      scene.now += 610;
      await once(signal, 'abort');
      return new Response(events);
    });
    const response = await handler(new Request('https://a.example', { headers: bearer() }));
    expect(await response.text()).toBe('');
  });

  it('closes a WebSocket at once', async () => {
    const { url, closed } = await openSocket((webSocket, watched) => {
      scene.now += 610;
      void once(watched.signal, 'abort').then(() => closeWith(webSocket, watched));
    });
    new WebSocket(url, { headers: bearer() });
    expect(await closed).toBe(3000);
  });
});

it('a body that its reader gave up while its token was looked at breaks nothing', async () => {
  const broken: unknown[] = [];
  const note = (error: unknown): void => void broken.push(error);
  process.on('uncaughtException', note);
  closers.push(() => process.off('uncaughtException', note));
  let answer: (() => void) | undefined;
  const introspect = (): Promise<{ active: boolean }> => {
    const { now } = scene;
    const times = { iat: now, exp: now + 600 };
    const who = { iss: scene.tiny.issuer, aud: AUDIENCE, sub: 'p', client_id: 'p', jti: 'j', scope: SCOPE };
    if (now === NOW) return Promise.resolve({ active: true, ...who, ...times });
    return new Promise((resolve) => (answer = () => resolve({ active: false })));
  };
  const guarded = inFetch.watchScope(scene.open({ introspect: { introspect } }), SCOPE, () => {
    return new Response(new ReadableStream({ pull: () => new Promise(() => undefined) }));
  });
  const headers = { authorization: 'Bearer cot_x' };
  const response = await guarded(new Request('https://fraud.example.com/', { headers }));
  scene.now += 61;
  await expect.poll(() => answer).toBeDefined();
  await response.body?.cancel();
  answer?.();
  await pause(50);
  expect(broken).toEqual([]);
});

it('events whose caller does not read them are cut, and what is still written breaks nothing', async () => {
  const broken: unknown[] = [];
  const note = (error: unknown): void => void broken.push(error);
  process.on('uncaughtException', note);
  closers.push(() => process.off('uncaughtException', note));
  const guard = inNode.watchScope(scene.open(), SCOPE);
  const begun: Watched[] = [];
  let closed = false;
  const { server, close } = await serve((request, response) => {
    void guard(request, response).then((watched) => {
      if (watched === undefined) return;
      begun.push(watched);
      const events = setInterval(() => response.write('x'.repeat(1_000_000)), 20);
      response.once('close', () => {
        clearInterval(events);
        closed = true;
      });
    });
  });
  closers.push(close);
  const { port } = server.address() as { port: number };
  const deaf = createConnection(port, '127.0.0.1');
  deaf.on('error', () => undefined);
  closers.push(() => deaf.destroy());
  deaf.write(`GET / HTTP/1.1\r\nHost: a\r\nAuthorization: ${bearer().authorization}\r\n\r\n`);
  await expect.poll(() => begun.length).toBe(1);
  await pause(300);
  scene.now += 610;
  await expect.poll(() => closed, { timeout: 5000 }).toBe(true);
  expect(broken).toEqual([]);
});

it('a WebSocket whose caller does not answer the closing is cut', async () => {
  const heard: string[] = [];
  const { url, closed } = await openSocket((webSocket, watched) => {
    closeWith(webSocket, watched);
    webSocket.on('message', (data: Buffer) => heard.push(data.toString()));
  });
  const stubborn = createConnection(Number(new URL(url).port), '127.0.0.1');
  stubborn.on('error', () => undefined);
  closers.push(() => stubborn.destroy());
  stubborn.write(handshake());
  await once(stubborn, 'data');
  // A masked text frame, "hi"; sent on and on, whatever the server says.
  const talk = setInterval(() => stubborn.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])), 50);
  await expect.poll(() => heard.length).toBeGreaterThan(0);
  scene.now += 610;
  await closed;
  clearInterval(talk);
  expect(heard.length).toBeLessThan(60);
});

it('an upgrade that was refused holds no connection, whatever its caller does', async () => {
  const guard = watchUpgrade(scene.open(), SCOPE);
  const { server, close } = await serve((_, response) => response.end());
  closers.push(close);
  const gone = new Promise((resolve) => {
    server.on('upgrade', (request, socket) => {
      socket.once('close', resolve);
      void guard(request, socket);
    });
  });
  const { port } = server.address() as { port: number };
  const socket = createConnection({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  closers.push(() => socket.destroy());
  let heard = '';
  socket.on('data', (bytes: Buffer) => (heard += bytes.toString()));
  socket.write(handshake().replace('Bearer ', 'Bearer x'));
  await gone;
  expect(heard).toMatch(/^HTTP\/1\.1 401 /);
});

async function openSocket(
  open: (webSocket: WebSocket, watched: Watched) => void,
): Promise<{ url: string; closed: Promise<number> }> {
  const sockets = new WebSocketServer({ noServer: true });
  const { base, server, close } = await serve((_, response) => response.end());
  closers.push(close);
  const guard = watchUpgrade(scene.open(), SCOPE);
  const closed = new Promise<number>((resolve) => {
    server.on('upgrade', (request, socket, head) => {
      void guard(request, socket).then((watched) => {
        if (watched === undefined) return;
        sockets.handleUpgrade(request, socket, head, (webSocket) => {
          webSocket.once('close', resolve);
          open(webSocket, watched);
        });
      });
    });
  });
  return { url: base.replace('http:', 'ws:'), closed };
}

function handshake(): string {
  const lines = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
  const key = `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`;
  return [
    'GET / HTTP/1.1',
    'Host: a',
    ...lines,
    key,
    `Authorization: ${bearer().authorization}`,
    '',
    '',
  ].join('\r\n');
}

async function upgrade(address: unknown): Promise<Socket> {
  const { port } = address as { port: number };
  const socket = createConnection(port, '127.0.0.1');
  socket.on('error', () => undefined);
  closers.push(() => socket.destroy());
  socket.write(handshake());
  return socket;
}
