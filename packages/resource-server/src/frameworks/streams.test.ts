// Streams over the wire: server-sent events, WebSockets and gRPC, each with a real client, each ended by expiry and by cut-off.
import type { IncomingMessage } from 'node:http';
import { serve as honoServe } from '@hono/node-server';
import * as grpc from '@grpc/grpc-js';
import { WebSocket, WebSocketServer } from 'ws';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serve } from '../../test/frameworks/over-http.ts';
import { AUDIENCE, startTinyIssuer, type TinyIssuer } from '../../test/tiny-issuer.ts';
import { createVerifier, type Verifier } from '../verifier.ts';
import * as inFetch from './fetch.ts';
import { authOf, requireScopes } from './grpc.ts';
import * as inNode from './node-http.ts';
import { closeWith, watchScope as watchUpgrade } from './websocket.ts';

const SCOPE = 'fraud:read';
let now = 1_800_000_000;
const clock = (): number => now;
let tiny: TinyIssuer;
let verifier: Verifier;
const closers: (() => unknown)[] = [];
beforeEach(async () => {
  now = 1_800_000_000;
  tiny = await startTinyIssuer(clock);
  // Time leaps here, which is no news of the feed being late.
  const cutoffs = { staleAfter: 3600 };
  verifier = createVerifier({ issuer: tiny.issuer, audience: AUDIENCE, clock, cutoffs });
  await verifier.ready();
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  await verifier.close();
  await tiny.close();
});

const cutOff = (): void => tiny.cut({ kind: 'identity', id: 'payments', not_before: now });
const expire = (): void => {
  now += 610;
};
const endings: [string, () => void][] = [
  ['its token expires', expire],
  ['its caller is cut off', cutOff],
];

/** Reads events until there are no more. `arrived` resolves with the first. */
function listen(response: Response): { arrived: Promise<string>; ended: Promise<void> } {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const arrived = reader.read().then(({ value }) => new TextDecoder().decode(value));
  const ended = arrived.then(async () => {
    while (!(await reader.read()).done);
  });
  return { arrived, ended };
}

describe('server-sent events', () => {
  async function onNode(): Promise<string> {
    const guard = inNode.watchScope(verifier, SCOPE);
    const { base, close } = await serve((request, response) => {
      void guard(request, response).then((watched) => {
        if (watched === undefined) return;
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(`data: hello ${watched.claims.client_id}\n\n`);
      });
    });
    closers.push(close);
    return base;
  }

  async function onFetch(): Promise<string> {
    const fetch = inFetch.watchScope(verifier, SCOPE, (_request, { claims }) => {
      const events = new ReadableStream<Uint8Array>({
        start: (to) => to.enqueue(new TextEncoder().encode(`data: hello ${claims.client_id}\n\n`)),
      });
      return new Response(events, { headers: { 'content-type': 'text/event-stream' } });
    });
    return new Promise((resolve) => {
      const server = honoServe({ fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
        resolve(`http://127.0.0.1:${port}`),
      );
      closers.push(() => server.close());
    });
  }

  describe.each([
    ['node:http', onNode],
    ['fetch', onFetch],
  ])('with %s', (_framework, start) => {
    it.each(endings)('end when %s', async (_, end) => {
      const headers = { authorization: `Bearer ${tiny.token()}` };
      const { arrived, ended } = listen(await fetch(await start(), { headers }));
      expect(await arrived).toBe('data: hello payments\n\n');
      end();
      await ended;
    });

    it('do not begin without a token', async () => {
      const response = await fetch(await start());
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
    });
  });
});

describe('a WebSocket', () => {
  /** Says who it is; a text that it gets is another token. */
  async function start(): Promise<string> {
    const sockets = new WebSocketServer({ noServer: true });
    const { base, server, close } = await serve((_, response) => response.end());
    server.on('upgrade', (request: IncomingMessage, socket, head) => {
      let ask = (): void => undefined;
      const guard = watchUpgrade(verifier, SCOPE, { onRenew: () => ask() });
      void guard(request, socket).then((watched) => {
        if (watched === undefined) return;
        sockets.handleUpgrade(request, socket, head, (webSocket) => {
          closeWith(webSocket, watched);
          ask = () => webSocket.send('another token, please');
          webSocket.on('message', (data: Buffer) => {
            void watched.renew(data.toString()).then(({ ok }) => webSocket.send(ok ? 'thanks' : 'no'));
          });
          webSocket.send(`hello ${watched.claims.client_id}`);
        });
      });
    });
    closers.push(close);
    return base.replace('http:', 'ws:');
  }

  function connect(url: string, token: string): WebSocket & { next(): Promise<string> } {
    const webSocket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
    const texts: string[] = [];
    const waiting: ((text: string) => void)[] = [];
    const take = (text: string): void => {
      const first = waiting.shift();
      if (first === undefined) texts.push(text);
      else first(text);
    };
    webSocket.on('message', (data: Buffer) => take(data.toString()));
    webSocket.on('close', (code, reason) => take(`closed ${code} ${String(reason)}`.trim()));
    webSocket.on('unexpected-response', (_, response) => {
      take(`refused ${response.statusCode} ${response.headers['www-authenticate']}`);
    });
    webSocket.on('error', () => undefined);
    const next = (): Promise<string> =>
      new Promise((resolve) => {
        const first = texts.shift();
        if (first === undefined) waiting.push(resolve);
        else resolve(first);
      });
    return Object.assign(webSocket, { next });
  }

  it.each(endings)('is closed as unauthorized when %s', async (_, end) => {
    const client = connect(await start(), tiny.token());
    expect(await client.next()).toBe('hello payments');
    end();
    expect(await client.next()).toBe('closed 3000 invalid_token');
  });

  it('is refused before it opens', async () => {
    const url = await start();
    expect(await connect(url, 'junk').next()).toBe('refused 401 Bearer error="invalid_token"');
    expect(await connect(url, tiny.token({ scope: 'fraud:list' })).next()).toBe(
      'refused 403 Bearer error="insufficient_scope", scope="fraud:read"',
    );
  });

  it('goes on with another token, which it asks for, and not with one that lacks the scope', async () => {
    const client = connect(await start(), tiny.token({ exp: now + 35 }));
    expect(await client.next()).toBe('hello payments');
    now += 6;
    expect(await client.next()).toBe('another token, please');
    client.send(tiny.token({ scope: 'fraud:list' }));
    expect(await client.next()).toBe('no');
    client.send(tiny.token({ jti: 'jti-2' }));
    expect(await client.next()).toBe('thanks');
    now += 100;
    expect(await Promise.race([client.next(), pause(900)])).toBe('nothing');
    client.close();
  });

  const pause = (ms: number): Promise<string> => new Promise((resolve) => setTimeout(resolve, ms, 'nothing'));
});

describe('a gRPC stream', () => {
  const path = '/fraud.Cases/Watch';
  const serialize = (value: string): Buffer => Buffer.from(value);
  const deserialize = (bytes: Buffer): string => bytes.toString();
  const definition: grpc.MethodDefinition<string, string> = {
    path,
    requestStream: false,
    responseStream: true,
    requestSerialize: serialize,
    requestDeserialize: deserialize,
    responseSerialize: serialize,
    responseDeserialize: deserialize,
  };

  async function open(token: string): Promise<{ first: Promise<string>; end: Promise<grpc.ServiceError> }> {
    const server = new grpc.Server({ interceptors: [requireScopes(verifier, grpc, { [path]: SCOPE })] });
    const watch: grpc.handleServerStreamingCall<string, string> = (call) => {
      call.write(`hello ${authOf(call.metadata)?.claims.client_id}`);
    };
    server.addService({ watch: definition }, { watch });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    closers.push(() => {
      client.close();
      server.forceShutdown();
    });
    const metadata = new grpc.Metadata();
    metadata.set('authorization', `Bearer ${token}`);
    const call = client.makeServerStreamRequest(path, serialize, deserialize, 'all', metadata);
    const end = new Promise<grpc.ServiceError>((resolve) => {
      call.on('error', (error) => resolve(error as grpc.ServiceError));
    });
    return { first: new Promise((resolve) => call.once('data', resolve)), end };
  }

  it.each(endings)('ends as unauthenticated when %s', async (_, happen) => {
    const { first, end } = await open(tiny.token());
    expect(await first).toBe('hello payments');
    happen();
    const { code, details, metadata } = await end;
    expect([code, details]).toEqual([16, 'invalid_token']);
    expect(metadata.get('www-authenticate')).toEqual(['Bearer error="invalid_token"']);
  });

  it('does not begin without the scope', async () => {
    const { end } = await open(tiny.token({ scope: 'fraud:list' }));
    expect((await end).code).toBe(7);
  });
});
