// The port on which Envoy asks over gRPC: HTTP/2 by prior knowledge, or with TLS. RFC 9113 §3.3.
import { connectNodeAdapter } from '@connectrpc/connect-node';
import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import {
  connectionName,
  ConnectionPlaces,
  type HttpListener,
  type HttpListenerOptions,
} from '@countersign/daemon';
import { plainAddress } from '@countersign/protocol';
import type { Limits } from '../config/config.ts';
import type { createCheck } from './check.ts';
import { Authorization } from './ext-authz.generated.ts';

export interface GrpcListenerOptions extends Omit<HttpListenerOptions, 'limits' | 'onRequest' | 'onUpgrade'> {
  readonly limits: Limits;
  readonly check: ReturnType<typeof createCheck>;
}

/** Bytes of one message beside the headers it describes. */
const MESSAGE_ROOM = 65_536;
/** Requests on one connection at the same time: Envoy has one connection a worker. */
const MOST_STREAMS = 1000;
/** MB of one connection's state in Node. */
const SESSION_MEMORY_MB = 16;

export function createGrpcListener(options: GrpcListenerOptions): HttpListener {
  const { limits, tls, admits, check } = options;
  const places = new ConnectionPlaces(options);
  /** Connections that have not sent a request yet, below TLS: Node waits for them as long as they like. */
  const unused = new Map<string, Socket>();
  const sessions = new Set<ServerHttp2Session>();
  const handler = connectNodeAdapter({
    routes: (router) => router.service(Authorization, { check }),
    connect: false,
    grpcWeb: false,
    readMaxBytes: limits.headerBytes + MESSAGE_ROOM,
  });
  const settings = {
    maxSessionMemory: SESSION_MEMORY_MB,
    settings: { maxConcurrentStreams: MOST_STREAMS, maxHeaderListSize: limits.headerBytes },
  };
  const server: Http2Server | Http2SecureServer =
    tls === undefined
      ? createServer(settings, handler)
      : createSecureServer({ ...settings, cert: tls.cert, key: tls.key, minVersion: 'TLSv1.2' }, handler);
  server.on('connection', (socket: Socket) => {
    if (!admits(plainAddress(socket.remoteAddress))) socket.destroy();
    else if (places.take(socket)) awaitRequest(socket);
  });
  server.on('session', (session: ServerHttp2Session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    const name = connectionName(session.socket);
    session.once('stream', () => {
      unused.delete(name);
      places.headArrived(session.socket);
    });
    session.on('error', () => session.destroy());
  });
  const awaitRequest = (socket: Socket): void => {
    const name = connectionName(socket);
    unused.set(name, socket);
    const late = setTimeout(() => {
      if (unused.get(name) === socket) socket.destroy();
    }, limits.headersTimeout * 1000);
    socket.once('close', () => {
      clearTimeout(late);
      if (unused.get(name) === socket) unused.delete(name);
    });
  };
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
        const cut = setTimeout(() => {
          for (const session of sessions) session.destroy();
        }, graceMs);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
        for (const socket of unused.values()) socket.destroy();
        // RFC 9113 §6.8: GOAWAY, and what has begun may end.
        for (const session of sessions) session.close();
      }),
  };
}
