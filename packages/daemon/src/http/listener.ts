// One port: its sockets, their limits, and how it ends. RFC 9112 §9, RFC 9325 §3.5.
import { constants } from 'node:crypto';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { plainAddress } from '@countersign/protocol';
import { endLingering } from '@countersign/protocol/linger';
import {
  type ConnectionLimits,
  ConnectionPlaces,
  type ConnectionPlacesOptions,
} from '../arrivals/connection-places.ts';

/** Numbers that no caller exceeds. */
export interface HttpListenerLimits extends ConnectionLimits {
  /** Of one request, names and values of its headers. */
  readonly headerBytes: number;
  /** Seconds until the headers of a request must be there. */
  readonly headersTimeout: number;
  /** Seconds until the whole request must be there. */
  readonly requestTimeout: number;
  /** Seconds that an idle connection is kept. */
  readonly keepAliveTimeout: number;
  /** Seconds without a byte. */
  readonly silence: number;
}

export interface ListenerTlsFiles {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  readonly requestCert: boolean;
}

export interface HttpListenerOptions extends Omit<ConnectionPlacesOptions, 'limits'> {
  readonly limits: HttpListenerLimits;
  /** Absent: plain HTTP. */
  readonly tls: ListenerTlsFiles | undefined;
  /** Whether connections from this address are taken at all. */
  readonly admits: (address: string) => boolean;
  /** `continues`: the caller waits for `100 Continue` before it sends its content (RFC 9110 §10.1.1). */
  readonly onRequest: (message: IncomingMessage, response: ServerResponse, continues: boolean) => void;
  readonly onUpgrade?: (message: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

export interface HttpListener {
  /** Resolves with the port bound. */
  listen(host: string, port: number): Promise<number>;
  /** Stops accepting, lets requests in flight end for at most `graceMs`, then cuts what is left. */
  drain(graceMs: number): Promise<void>;
}

/** Requests that one connection may have in flight; clients pipeline none. */
const MOST_IN_FLIGHT = 16;
const SWEEP_MS = 50;
/** Beyond the declared limit, so that it is we who refuse, with a reason; beyond this the parser does. */
const PARSER_ROOM = 32_768;

export function createHttpListener(options: HttpListenerOptions): HttpListener {
  const { admits, onRequest, onUpgrade } = options;
  const connections = new Set<Duplex>();
  const places = new ConnectionPlaces(options);
  /** Connections that have not sent a request yet: Node does not count them as idle. */
  const unused = new Set<Duplex>();
  const inFlight = new WeakMap<Duplex, Set<ServerResponse>>();
  let draining = false;
  /** Node tells only the answer that is being written that its connection has closed, and not those that wait behind it. */
  const answersOf = (socket: Duplex): Set<ServerResponse> => {
    const known = inFlight.get(socket);
    if (known !== undefined) return known;
    const open = new Set<ServerResponse>();
    inFlight.set(socket, open);
    socket.once('close', () => {
      for (const response of open) response.destroy().emit('close');
    });
    return open;
  };
  const hasSent = (socket: Socket): void => {
    if (unused.delete(socket)) places.headArrived(socket);
  };
  const isBusy = (socket: Duplex): boolean => (inFlight.get(socket)?.size ?? 0) > 0;
  const take = (message: IncomingMessage, response: ServerResponse, continues: boolean): void => {
    const { socket } = message;
    hasSent(socket);
    const open = answersOf(socket);
    if (open.size >= MOST_IN_FLIGHT) {
      socket.destroy();
      return;
    }
    open.add(response);
    response.once('close', () => open.delete(response));
    if (draining) response.shouldKeepAlive = false;
    onRequest(message, response, continues);
  };
  const server = createServer(options);
  server.on('request', (message, response) => take(message, response, false));
  server.on('checkContinue', (message, response) => take(message, response, true));
  server.on('checkExpectation', (message, response) => take(message, response, false));
  if (onUpgrade !== undefined) {
    server.on('upgrade', (message: IncomingMessage, socket: Duplex, head: Buffer) => {
      hasSent(message.socket);
      // Behind requests that are not answered yet there is nobody to hand the connection over.
      if (isBusy(socket)) socket.destroy();
      else onUpgrade(message, socket, head);
    });
  }
  // A tunnel to anywhere: RFC 9110 §9.3.6.
  server.on('connect', (_message, socket: Duplex) => {
    if (isBusy(socket)) socket.destroy();
    else endWith(socket, '405 Method Not Allowed');
  });
  server.on('connection', (socket: Socket) => {
    if (!admits(plainAddress(socket.remoteAddress))) socket.destroy();
    else if (places.take(socket)) remember(connections, socket);
  });
  server.on(options.tls === undefined ? 'connection' : 'secureConnection', (socket: Duplex) =>
    remember(unused, socket),
  );
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (error.code === 'ECONNRESET' || !socket.writable || isBusy(socket)) socket.destroy();
    else endWith(socket, parserAnswer(error.code));
  });
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
        for (const socket of unused) socket.destroy();
      }),
  };
}

function createServer({ limits, tls }: HttpListenerOptions): Server {
  const settings = {
    maxHeaderSize: limits.headerBytes + PARSER_ROOM,
    headersTimeout: limits.headersTimeout * 1000,
    requestTimeout: Math.max(limits.requestTimeout, limits.headersTimeout) * 1000,
    keepAliveTimeout: limits.keepAliveTimeout * 1000,
    connectionsCheckingInterval: 1000,
    noDelay: true,
    insecureHTTPParser: false,
    requireHostHeader: false,
  };
  const overTls = {
    ...settings,
    ...tls,
    minVersion: 'TLSv1.2',
    rejectUnauthorized: false,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    handshakeTimeout: limits.headersTimeout * 1000,
  } as const;
  const server =
    tls === undefined ? createHttpServer(settings) : (createHttpsServer(overTls) as unknown as Server);
  // All headers are seen, or the request is refused: Node drops those beyond its count without a word.
  server.maxHeadersCount = 0;
  // Also for a caller that does not read its answer.
  server.timeout = limits.silence * 1000;
  return server;
}

function remember(sockets: Set<Duplex>, socket: Duplex): void {
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
}

function parserAnswer(code: string | undefined): string {
  if (code === 'HPE_HEADER_OVERFLOW') return '431 Request Header Fields Too Large';
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request';
}

/** What never becomes a request is answered by hand, and the connection ends. */
export function endWith(socket: Duplex, status: string, body = '{"error":"invalid_request"}'): void {
  socket.on('error', () => socket.destroy());
  endLingering(
    socket,
    `HTTP/1.1 ${status}\r\nConnection: close\r\nCache-Control: no-store\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
