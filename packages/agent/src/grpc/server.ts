// gRPC over HTTP/2 on a unix socket. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
// On node:http2 itself: a library's server does not say which connection a call came by, and that is who the caller is.
import {
  createServer as createHttp2Server,
  type Http2Server,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';
import { framed, readOnly } from './frames.ts';
import { GRPC_STATUS, GrpcError, statusMessage } from './status.ts';
import { readTimeout } from './timeout.ts';

export interface Call<Peer> {
  readonly peer: Peer;
  /** The request's message. */
  readonly request: Uint8Array;
  /** Aborted when the caller is gone, its time is over, or the server ends. */
  readonly signal: AbortSignal;
  /** Resolves when the caller takes more. A caller that does not read holds up nobody but itself. */
  send(message: Uint8Array): Promise<void>;
}

/** Unary or streaming: both end when the promise resolves. Rejects with `GrpcError`; anything else is a bug. */
export type Method<Peer> = (call: Call<Peer>) => Promise<void>;

export interface GrpcServerOptions<Peer> {
  /** By path. */
  readonly methods: ReadonlyMap<string, Method<Peer>>;
  /** Who is at the other end; undefined refuses the connection. */
  readonly peerOf: (socket: Socket) => Peer | undefined;
  /** Connections with the same key share a bound, so that nobody can take them all. */
  readonly keyOf: (peer: Peer) => string;
  /** What every call must carry; throws `GrpcError`. */
  readonly requireHeaders: (headers: IncomingHttpHeaders) => void;
  /** Tells of a bug. */
  readonly report: (error: unknown) => void;
}

export const MOST_CONNECTIONS = 1000;
export const MOST_CONNECTIONS_OF_ONE = 100;
export const MOST_STREAMS_OF_CONNECTION = 100;
/** Bytes of the headers of one call. */
const MOST_HEADER_BYTES = 16_384;
const MOST_HEADERS = 64;

export interface GrpcServer {
  /** The listener, not yet listening. */
  readonly listener: Server;
  /** Ends every call and every connection. */
  close(): Promise<void>;
}

export function createGrpcServer<Peer>(options: GrpcServerOptions<Peer>): GrpcServer {
  const peers = new WeakMap<Http2Session, Peer>();
  const open = new Map<Socket, string>();
  const ending = new AbortController();
  let connecting: Peer | undefined;

  const http2 = createHttp2Server({
    maxHeaderListPairs: MOST_HEADERS,
    settings: { maxConcurrentStreams: MOST_STREAMS_OF_CONNECTION, maxHeaderListSize: MOST_HEADER_BYTES },
  });
  // The session is made while the connection is handed over, in this very call.
  http2.on('session', (session) => {
    if (connecting !== undefined) peers.set(session, connecting);
    session.on('error', () => session.destroy());
  });
  http2.on('sessionError', () => undefined);
  http2.on('stream', (stream, headers) => {
    const peer = stream.session && peers.get(stream.session);
    stream.on('error', () => undefined);
    if (peer === undefined) stream.destroy();
    else void answer(options, peer, stream, headers, ending.signal);
  });

  const listener = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    const peer = options.peerOf(socket);
    const key = peer === undefined ? undefined : options.keyOf(peer);
    if (peer === undefined || key === undefined || !hasRoom(open, key)) {
      socket.destroy();
      return;
    }
    open.set(socket, key);
    socket.on('close', () => open.delete(socket));
    handOver(http2, socket, peer);
  });

  function handOver(to: Http2Server, socket: Socket, peer: Peer): void {
    connecting = peer;
    to.emit('connection', socket);
    connecting = undefined;
  }

  return {
    listener,
    async close() {
      ending.abort();
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      // What was just told to the callers leaves first.
      setTimeout(() => {
        for (const socket of open.keys()) socket.destroy();
      }, CLOSE_AFTER_MS);
      await closed;
    },
  };
}

const CLOSE_AFTER_MS = 200;

function hasRoom(open: ReadonlyMap<Socket, string>, key: string): boolean {
  if (open.size >= MOST_CONNECTIONS) return false;
  let same = 0;
  for (const other of open.values()) if (other === key) same++;
  return same < MOST_CONNECTIONS_OF_ONE;
}

const ACCEPTED = { 'content-type': 'application/grpc', 'grpc-accept-encoding': 'identity' } as const;

/** The story of one call: is it one, whose is it, what does it ask, answer it; and every end has a status. */
async function answer<Peer>(
  options: GrpcServerOptions<Peer>,
  peer: Peer,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  ending: AbortSignal,
): Promise<void> {
  const given = new AbortController();
  const signal = AbortSignal.any([given.signal, ending]);
  stream.on('close', () => given.abort());
  const abandon = (): void =>
    end(stream, new GrpcError(ending.aborted ? 'unavailable' : 'deadlineExceeded', LATE));
  signal.addEventListener('abort', abandon, { once: true });
  let timer: NodeJS.Timeout | undefined;
  try {
    if (!isGrpc(stream, headers)) return;
    const method = options.methods.get(headers[':path'] ?? '');
    if (method === undefined) throw new GrpcError('unimplemented', 'there is no such method here');
    options.requireHeaders(headers);
    requireIdentityEncoding(headers);
    timer = deadline(headers, given);
    const request = await readOnly(stream);
    await method({ peer, request, signal, send: (message) => send(stream, message) });
    end(stream, undefined);
  } catch (error) {
    if (signal.aborted || stream.destroyed) return;
    if (!(error instanceof GrpcError)) options.report(error);
    end(stream, error instanceof GrpcError ? error : new GrpcError('internal', 'something went wrong here'));
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abandon);
  }
}

const LATE = 'the call was not answered in its time';

/** Content that is not gRPC is answered in HTTP's own words. */
function isGrpc(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean {
  const status =
    headers[':method'] !== 'POST' ? 405 : isGrpcContent(headers['content-type'] ?? '') ? undefined : 415;
  if (status === undefined) return true;
  stream.respond({ ':status': status }, { endStream: true });
  stream.resume();
  return false;
}

function isGrpcContent(type: string): boolean {
  return /^application\/grpc(?:\+proto)?(?:;.*)?$/.test(type);
}

function requireIdentityEncoding(headers: IncomingHttpHeaders): void {
  const encoding = headers['grpc-encoding'];
  if (encoding === undefined || encoding === 'identity') return;
  throw new GrpcError('unimplemented', 'compressed messages are not taken');
}

function deadline(headers: IncomingHttpHeaders, call: AbortController): NodeJS.Timeout | undefined {
  const text = headers['grpc-timeout'];
  if (text === undefined) return undefined;
  const ms = typeof text === 'string' ? readTimeout(text) : undefined;
  if (ms === undefined) throw new GrpcError('invalidArgument', 'grpc-timeout is malformed');
  return setTimeout(() => call.abort(), ms);
}

async function send(stream: ServerHttp2Stream, message: Uint8Array): Promise<void> {
  if (stream.destroyed || stream.closed) return;
  begin(stream);
  if (stream.write(framed(message))) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      stream.off('drain', done);
      stream.off('close', done);
      resolve();
    };
    stream.on('drain', done);
    stream.on('close', done);
  });
}

function begin(stream: ServerHttp2Stream): void {
  if (!stream.headersSent) stream.respond({ ':status': 200, ...ACCEPTED }, { waitForTrailers: true });
}

/** With a message before it the status comes in the trailers, without one in the only headers (Trailers-Only). */
function end(stream: ServerHttp2Stream, error: GrpcError | undefined): void {
  if (stream.destroyed || stream.closed) return;
  const status = {
    'grpc-status': String(GRPC_STATUS[error?.status ?? 'ok']),
    ...(error === undefined ? {} : { 'grpc-message': statusMessage(error.message) }),
  };
  if (!stream.headersSent) {
    stream.respond({ ':status': 200, ...ACCEPTED, ...status }, { endStream: true });
    // What else the caller has to say is not waited for.
    stream.resume();
    return;
  }
  if (stream.writableEnded) return;
  stream.once('wantTrailers', () => stream.sendTrailers(status));
  stream.end();
}
