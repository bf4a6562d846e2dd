import { constants } from 'node:crypto';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer, type ServerOptions as TlsOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { plainAddress } from '@countersign/protocol';
import type { Clock } from '../clock.ts';
import { EDGE_FAULTS, type EdgeFault } from './edge-errors.ts';
import { endLingering } from '@countersign/protocol/linger';
import { createPlainConnections, type ServePlain } from './plain-connections.ts';
import type { PlainRequest } from './plain-request.ts';

export interface HttpLimits {
  /** ms until a request's headers must be there. */
  readonly headersTimeout: number;
  /** ms until the whole request must be there. */
  readonly requestTimeout: number;
  readonly keepAliveTimeout: number;
  readonly maxHeaderBytes: number;
  readonly maxConnections: number;
  /** ms without a byte in either direction until a connection is cut; default 60,000, longer than the longest poll. */
  readonly stalledTimeout?: number | undefined;
}

export type Listener = (message: IncomingMessage, response: ServerResponse) => void;

export interface HttpListenerOptions {
  readonly limits: HttpLimits;
  /** Absent: plain HTTP. */
  readonly tls: TlsOptions | undefined;
  readonly nextRequestId: () => string;
  /** Whether connections from this address are taken at all. */
  readonly admits: (address: string) => boolean;
  readonly listener: Listener;
  /** Who serves a request that came plain and whole; undefined: `listener` does. */
  readonly plainServedBy: (request: PlainRequest) => ServePlain | undefined;
  readonly clock: Clock;
}

/** One port. */
export interface HttpListener {
  /** Resolves with the port bound; 0 = any. */
  listen(host: string, port: number): Promise<number>;
  /** Stops accepting, lets requests in flight end for at most `graceMs`, then cuts what is left. */
  drain(graceMs: number): Promise<void>;
}

/** How often (ms) a drain looks for connections whose last answer has left. */
const SWEEP_MS = 50;

/**
 * Requests that one connection may have in flight. HTTP clients pipeline none; whoever sends more without reading the
 * answers wants the memory that they wait in.
 */
const MOST_IN_FLIGHT = 16;
const STALLED_MS = 60_000;

interface Counted extends Socket {
  [IN_FLIGHT]?: number;
}
const IN_FLIGHT: unique symbol = Symbol('requests in flight');

/** False, and the connection cut, when it has too many. */
function takesAnother(socket: Counted, response: ServerResponse): boolean {
  if (socket.destroyed) return false;
  const inFlight = (socket[IN_FLIGHT] ?? 0) + 1;
  if (inFlight > MOST_IN_FLIGHT) {
    socket.destroy();
    return false;
  }
  socket[IN_FLIGHT] = inFlight;
  response.once('close', answered);
  return true;
}

function answered(this: ServerResponse): void {
  const socket = this.req.socket as Counted;
  socket[IN_FLIGHT] = (socket[IN_FLIGHT] ?? 1) - 1;
}

export function createListener({
  limits,
  tls,
  nextRequestId,
  admits,
  listener,
  plainServedBy,
  clock,
}: HttpListenerOptions): HttpListener {
  /** All connections, below TLS: Node cuts none that is still shaking hands. */
  const connections = new Set<Socket>();
  /** Connections that have not sent a request yet: Node does not count them as idle. */
  const unused = new Set<Duplex>();
  let draining = false;
  const take: Listener = (message, response) => {
    unused.delete(message.socket);
    if (!takesAnother(message.socket, response)) return;
    // RFC 9112 §9.6: who is told so does not send its next request here.
    if (draining) response.shouldKeepAlive = false;
    listener(message, response);
  };
  const server = createServer(limits, tls, take);
  // RFC 9110 §10.1.1: what nobody knows may be left unheard. Node's own refusal has no request id.
  server.on('checkExpectation', take);
  const ready = tls === undefined ? 'connection' : 'secureConnection';
  const serveByNode = takeOver(server, ready);
  const plain = createPlainConnections({
    clock,
    limits: { ...limits, stalledTimeout: server.timeout },
    servedBy: plainServedBy,
    handOver: serveByNode,
    timedOut: (socket) => server.emit('clientError', REQUEST_TIMEOUT, socket),
    used: (socket) => unused.delete(socket),
  });
  server.on('connection', (socket: Socket) => {
    if (admits(plainAddress(socket.remoteAddress))) remember(connections, socket);
    else socket.destroy();
  });
  server.on(ready, (socket: Socket) => {
    if (socket.destroyed) return;
    remember(unused, socket);
    plain.take(socket);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
    answerClientError(error, socket, nextRequestId),
  );
  return {
    async listen(host, port) {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host, port, backlog: 1024 }, resolve);
      });
      return (server.address() as AddressInfo).port;
    },
    drain: (graceMs) =>
      new Promise((resolve) => {
        draining = true;
        const cut = setTimeout(() => {
          server.closeAllConnections();
          for (const socket of connections) socket.destroy();
        }, graceMs);
        const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
        server.close(() => {
          clearTimeout(cut);
          clearInterval(sweep);
          resolve();
        });
        server.closeIdleConnections();
        plain.drain();
        for (const socket of unused) socket.destroy();
      }),
  };
}

function createServer(limits: HttpLimits, tls: TlsOptions | undefined, listener: Listener): Server {
  const settings = {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeout,
    requestTimeout: limits.requestTimeout,
    keepAliveTimeout: limits.keepAliveTimeout,
    connectionsCheckingInterval: 1000,
    // Asked for by who answers with a request id.
    requireHostHeader: false,
    noDelay: true,
  };
  const overTls = {
    ...settings,
    minVersion: 'TLSv1.2',
    // RFC 9325 §3.5: a connection has one peer, from its beginning to its end.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    handshakeTimeout: limits.headersTimeout,
  } as const;
  const server =
    tls === undefined
      ? createHttpServer(settings, listener)
      : (createHttpsServer({ ...overTls, ...tls }, listener) as unknown as Server);
  server.maxConnections = limits.maxConnections;
  // Also for a caller that does not read its answer.
  server.timeout = limits.stalledTimeout ?? STALLED_MS;
  return server;
}

/** As Node's own error says it. */
const REQUEST_TIMEOUT: NodeJS.ErrnoException = Object.assign(new Error('no request came in time'), {
  code: 'ERR_HTTP_REQUEST_TIMEOUT',
});

/** Takes away Node's own listener for new connections and gives it back: what it is handed is a connection of its server. */
function takeOver(server: Server, event: 'connection' | 'secureConnection'): (socket: Socket) => void {
  const own = server.listeners(event);
  server.removeAllListeners(event);
  return (socket) => {
    for (const each of own) Reflect.apply(each, server, [socket]);
  };
}

function remember<T extends Duplex>(sockets: Set<T>, socket: T): void {
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
}

/** Connections that end as soon as they owe no answer any more. */
const ending = new WeakSet<Socket>();

/** What Node's parser refuses never becomes a request: the answer is written by hand and the connection ends. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket, nextRequestId: () => string): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const owed = owedAnswer(socket);
  if (owed !== undefined && (owed.req.complete || owed.headersSent)) {
    // An earlier request still waits for its answer: what is written now would be taken for that.
    if (!ending.has(socket)) endAfter(owed, socket);
    ending.add(socket);
    return;
  }
  const fault: EdgeFault =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? 'headers_too_large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? 'timeout'
        : 'bad_request';
  const { status, title } = EDGE_FAULTS[fault];
  endLingering(
    socket,
    `HTTP/1.1 ${status} ${title}\r\nRequest-Id: ${nextRequestId()}\r\nConnection: close\r\n` +
      `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(title) + 1}\r\n\r\n${title}\n`,
  );
}

/** The oldest answer that the connection owes. Node keeps it there, and its own handler of such errors looks there. */
function owedAnswer(socket: Socket): ServerResponse | undefined {
  return (socket as { readonly _httpMessage?: ServerResponse | null })._httpMessage ?? undefined;
}

function endAfter(owed: ServerResponse, socket: Socket): void {
  owed.once('close', () => {
    const next = owedAnswer(socket);
    if (next === undefined) socket.destroySoon();
    else endAfter(next, socket);
  });
}
