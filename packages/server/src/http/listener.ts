import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer, type ServerOptions as TlsOptions } from 'node:https';
import type { Socket } from 'node:net';
import { EDGE_FAULTS, type EdgeFault } from './edge-errors.ts';

export interface HttpLimits {
  /** ms until a request's headers must be there. */
  readonly headersTimeout: number;
  /** ms until the whole request must be there. */
  readonly requestTimeout: number;
  readonly keepAliveTimeout: number;
  readonly maxHeaderBytes: number;
  readonly maxConnections: number;
}

export type Listener = (message: IncomingMessage, response: ServerResponse) => void;

/** A server with its limits; absent `tls`: plain HTTP. It does not listen yet. */
export function createListener(limits: HttpLimits, tls: TlsOptions | undefined, listener: Listener): Server {
  const settings = {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeout,
    requestTimeout: limits.requestTimeout,
    keepAliveTimeout: limits.keepAliveTimeout,
    connectionsCheckingInterval: 1000,
    noDelay: true,
  };
  const server =
    tls === undefined
      ? createHttpServer(settings, listener)
      : (createHttpsServer({ ...settings, minVersion: 'TLSv1.2', ...tls }, listener) as unknown as Server);
  server.maxConnections = limits.maxConnections;
  server.on('clientError', answerClientError);
  return server;
}

/** Stops accepting, lets requests in flight end for at most `graceMs`, then cuts what is left. */
export function drainListener(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** What Node's parser refuses never becomes a request: the answer is written by hand and the connection ends. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const fault: EdgeFault =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? 'headers_too_large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? 'timeout'
        : 'bad_request';
  const { status, title } = EDGE_FAULTS[fault];
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(title) + 1}\r\n\r\n${title}\n`,
  );
}
