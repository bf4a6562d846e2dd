import { connect, type Socket } from 'node:net';
import { trustedProxies } from '@countersign/protocol';
import { systemClock } from '../src/clock.ts';
import { createHttpEdge, type HttpEdge, type HttpEdgeOptions } from '../src/http/fastify-server.ts';
import type { HttpLimits } from '../src/http/listener.ts';
import type { HttpRequest } from '../src/http/request.ts';
import { type HttpResponse, jsonResponse, textResponse } from '../src/http/response.ts';
import type { Endpoint, Route } from '../src/http/route.ts';

/** An edge that listens on loopback, with routes that show what reached them. */
export interface EdgeScene {
  readonly edge: HttpEdge;
  readonly port: number;
  /** Requests that reached an endpoint, in order. */
  readonly seen: HttpRequest[];
  readonly bugs: { readonly error: unknown; readonly requestId: string }[];
  /** Lets the requests of `/slow` and of the fast route's `?slow` go. */
  release(): void;
  /** How many wait for that. */
  waiting(): number;
  close(): Promise<void>;
}

const LIMITS: HttpLimits = {
  headersTimeout: 5000,
  requestTimeout: 5000,
  keepAliveTimeout: 5000,
  maxHeaderBytes: 4096,
  maxConnections: 100,
};

export async function openEdge(
  change: {
    limits?: Partial<HttpLimits>;
    proxies?: readonly string[];
    clearOnlyFromProxies?: boolean;
    serve?: boolean;
  } = {},
): Promise<EdgeScene> {
  const seen: HttpRequest[] = [];
  const bugs: { error: unknown; requestId: string }[] = [];
  const held: (() => void)[] = [];
  let requests = 0;
  const options: HttpEdgeOptions = {
    proxies: trustedProxies(change.proxies ?? []),
    nextRequestId: () => `req_${++requests}`,
    report: (error, requestId) => bugs.push({ error, requestId }),
    limits: { ...LIMITS, ...change.limits },
    clearOnlyFromProxies: change.clearOnlyFromProxies ?? false,
    clock: systemClock,
  };
  const edge = createHttpEdge(options);
  const port = await edge.listen({ host: '127.0.0.1', port: 0 });
  const hold = (): Promise<void> => new Promise((resolve) => held.push(resolve));
  if (change.serve !== false) await edge.serve(routesFor(seen, hold));
  return {
    edge,
    port,
    seen,
    bugs,
    release() {
      for (const go of held.splice(0)) go();
    },
    waiting: () => held.length,
    async close() {
      for (const go of held.splice(0)) go();
      await edge.drain(0);
    },
  };
}

export function routesFor(seen: HttpRequest[], hold: () => Promise<void>): readonly Route[] {
  const show: Endpoint = async (request, params) => {
    seen.push(request);
    return jsonResponse(200, { ...params, body: Buffer.from(request.body).toString('latin1') });
  };
  const slow: Endpoint = async (request) => {
    seen.push(request);
    await hold();
    return textResponse(200, `slow ${request.query}\n`);
  };
  const broken: Endpoint = () => Promise.reject(new Error('a secret of the inside'));
  const fast: Endpoint = (request, params) => {
    if (Buffer.from(request.body).toString('latin1') === 'throw at once')
      throw new Error('a secret of the inside');
    return answerFast(request, params);
  };
  const answerFast: Endpoint = async (request): Promise<HttpResponse> => {
    seen.push(request);
    const body = Buffer.from(request.body).toString('latin1');
    if (body === 'a bad header') return { status: 200, headers: { 'x-bad': 'a\nb' }, body: 'inside' };
    if (request.query.startsWith('slow')) await hold();
    if (body === 'throw') throw new Error('a secret of the inside');
    return jsonResponse(200, { body, query: request.query });
  };
  return [
    { method: 'POST', path: '/oauth/token', endpoint: fast, bodyLimit: 1000, errors: 'oauth', fast: true },
    { method: 'GET', path: '/v1/things/:id', endpoint: show, bodyLimit: 0, errors: 'problem' },
    { method: 'PATCH', path: '/v1/things/:id', endpoint: show, bodyLimit: 1000, errors: 'problem' },
    { method: 'POST', path: '/v1/things', endpoint: show, bodyLimit: 1000, errors: 'problem' },
    { method: 'GET', path: '/v1/broken', endpoint: broken, bodyLimit: 0, errors: 'problem' },
    { method: 'GET', path: '/oauth/keys', endpoint: show, bodyLimit: 0, errors: 'oauth' },
    {
      method: 'GET',
      path: '/healthz',
      endpoint: async () => textResponse(200, 'ok\n'),
      bodyLimit: 0,
      errors: 'plain',
    },
    { method: 'GET', path: '/slow', endpoint: slow, bodyLimit: 0, errors: 'plain' },
    { method: 'GET', path: '/long', endpoint: slow, bodyLimit: 0, errors: 'plain', patience: 1500 },
  ];
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One connection, written to and read from as bytes. */
export interface RawConnection {
  readonly socket: Socket;
  write(text: string | Uint8Array): void;
  /** The next whole answer; rejects when the connection ends before. `head`: it has no body whatever it says. */
  next(head?: boolean): Promise<RawAnswer>;
  /** Resolves when the other side has ended the connection. */
  readonly ended: Promise<void>;
}

export function rawConnection(port: number): RawConnection {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  let over = false;
  let wake = (): void => undefined;
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
    wake();
  });
  socket.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      over = true;
      wake();
      resolve();
    };
    socket.on('end', end);
    socket.on('close', end);
  });

  function take(head: boolean): RawAnswer | undefined {
    const split = received.indexOf('\r\n\r\n');
    if (split === -1) return undefined;
    const [line = '', ...lines] = received.slice(0, split).split('\r\n');
    const headers = Object.fromEntries(
      lines.map((each) => [
        each.slice(0, each.indexOf(':')).toLowerCase(),
        each.slice(each.indexOf(':') + 1).trim(),
      ]),
    );
    const status = Number(line.split(' ')[1]);
    const rest = received.slice(split + 4);
    if (headers['transfer-encoding'] === 'chunked' && !head) {
      const last = rest.indexOf('0\r\n\r\n');
      if (last === -1) return undefined;
      received = rest.slice(last + 5);
      const body = rest
        .slice(0, last)
        .replace(/^[0-9a-f]+\r\n/, '')
        .replace(/\r\n$/, '');
      return { status, headers, body };
    }
    const length = head || status === 100 ? 0 : Number(headers['content-length'] ?? 0);
    if (rest.length < length) return undefined;
    received = rest.slice(length);
    return { status, headers, body: rest.slice(0, length) };
  }

  return {
    socket,
    ended,
    write: (text) => void socket.write(text),
    async next(head = false) {
      for (;;) {
        const answer = take(head);
        if (answer !== undefined) return answer;
        if (over) throw new Error(`the connection ended; left over: ${JSON.stringify(received)}`);
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

/** A request as text. */
export function requestText(line: string, headers: readonly string[] = [], body = ''): string {
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  return [`${line} HTTP/1.1`, 'Host: localhost', ...headers, ...length, '', body].join('\r\n');
}
