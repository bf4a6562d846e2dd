import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer, type ServerOptions as TlsOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { EDGE_FAULTS, type EdgeFault, edgeResponse } from './edge-errors.ts';
import { type EdgeDeps, serveFast, toHttpRequest } from './fast-path.ts';
import type { HttpResponse } from './response.ts';
import type { Route } from './route.ts';
import { plainAddress, sourceAddress, type TrustedProxies } from './source-address.ts';

/** The only file that names the HTTP library. */

export interface HttpServerOptions {
  readonly routes: readonly Route[];
  /** Absent: plain HTTP, for loopback or behind a TLS-terminating proxy. */
  readonly tls?: TlsOptions | undefined;
  readonly proxies: TrustedProxies;
  readonly nextRequestId: EdgeDeps['nextRequestId'];
  readonly report: EdgeDeps['report'];
  readonly limits: HttpLimits;
}

export interface HttpLimits {
  /** ms until a request's headers must be there. */
  readonly headersTimeout: number;
  /** ms until the whole request must be there. */
  readonly requestTimeout: number;
  readonly keepAliveTimeout: number;
  readonly maxHeaderBytes: number;
  readonly maxConnections: number;
}

export interface HttpServer {
  /** Port 0 = any. Resolves with the port bound. */
  listen(host: string, port: number): Promise<number>;
  /** Stops accepting, lets requests in flight end for at most `graceMs`, then cuts what is left. */
  drain(graceMs: number): Promise<void>;
}

export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const edge: EdgeDeps = { ...options, sourceOf: (message) => sourceOf(message, options.proxies) };
  const fast = new Map(
    options.routes.filter((route) => route.fast === true).map((route) => [route.path, route]),
  );
  let server: Server | undefined;
  const app = Fastify({
    logger: false,
    bodyLimit: 1,
    exposeHeadRoutes: true,
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: 2048 },
    frameworkErrors: (error, request, reply) => void refuse(options, request, reply, error),
    serverFactory: (handler) => {
      server = listenWith(options, (message, response) => {
        const route = fast.get(pathOf(message.url ?? '/'));
        if (route === undefined) handler(message, response);
        else serveFast(route, edge, message, response);
      });
      return server;
    },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error, request, reply) => refuse(options, request, reply, error as FastifyFault));
  app.setNotFoundHandler((request, reply) => notFound(options, request, reply));
  for (const route of options.routes) if (route.fast !== true) mount(app, route, edge);
  await app.ready();
  return toHttpServer(server as Server, options.limits);
}

function toHttpServer(server: Server, limits: HttpLimits): HttpServer {
  server.maxConnections = limits.maxConnections;
  server.on('clientError', answerClientError);
  return {
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host, port, backlog: 1024 }, () => resolve((server.address() as AddressInfo).port));
      }),
    drain: (graceMs) =>
      new Promise((resolve) => {
        const cut = setTimeout(() => server.closeAllConnections(), graceMs);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

type Listener = (message: IncomingMessage, response: ServerResponse) => void;

function listenWith(options: HttpServerOptions, listener: Listener): Server {
  const { limits, tls } = options;
  const settings = {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeout,
    requestTimeout: limits.requestTimeout,
    keepAliveTimeout: limits.keepAliveTimeout,
    connectionsCheckingInterval: 1000,
    noDelay: true,
  };
  return tls === undefined
    ? createHttpServer(settings, listener)
    : (createHttpsServer({ ...settings, minVersion: 'TLSv1.2', ...tls }, listener) as unknown as Server);
}

function mount(app: FastifyInstance, route: Route, edge: EdgeDeps): void {
  app.route({
    method: route.method,
    url: route.path,
    bodyLimit: Math.max(1, route.bodyLimit),
    handler: async (request, reply) => {
      const id = edge.nextRequestId();
      const body = request.body instanceof Uint8Array ? request.body : new Uint8Array(0);
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      const http = toHttpRequest(request.raw, body, id, edge.sourceOf(request.raw), gone.signal);
      try {
        const params = request.params as Readonly<Record<string, string>>;
        return send(reply, await route.endpoint(http, params), id);
      } catch (error) {
        edge.report(error, id);
        return send(reply, edgeResponse('bug', route.errors), id);
      }
    },
  });
}

function send(reply: FastifyReply, answer: HttpResponse, id: string): FastifyReply {
  reply.code(answer.status).header('Request-Id', id);
  for (const [name, value] of Object.entries(answer.headers)) reply.header(name, value);
  // Text goes as bytes: the framework would add a charset to a media type that has none.
  return reply.send(typeof answer.body === 'string' ? Buffer.from(answer.body, 'utf8') : answer.body);
}

type FastifyFault = Error & { readonly code?: string; readonly statusCode?: number };

const FAULT_OF_CODE: Readonly<Record<string, EdgeFault>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'bad_request',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'bad_request',
  FST_ERR_BAD_URL: 'bad_request',
  FST_ERR_ASYNC_CONSTRAINT: 'bad_request',
};

function refuse(
  options: HttpServerOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  error: FastifyFault,
): FastifyReply {
  const id = options.nextRequestId();
  const listed = FAULT_OF_CODE[error.code ?? ''];
  const clientFault = error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500;
  const fault: EdgeFault = listed ?? (clientFault ? 'bad_request' : 'bug');
  if (fault === 'bug') options.report(error, id);
  const headers: Record<string, string> = fault === 'body_too_large' ? { connection: 'close' } : {};
  return send(reply, edgeResponse(fault, errorsAt(pathOf(request.raw.url ?? '/')), headers), id);
}

/** RFC 9110 §15.5.6: 405 with `Allow` where the path exists under another method. */
function notFound(options: HttpServerOptions, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = pathOf(request.raw.url ?? '/');
  const methods = options.routes.filter((route) => matches(route.path, path)).map((route) => route.method);
  const id = options.nextRequestId();
  if (methods.length === 0) return send(reply, edgeResponse('not_found', errorsAt(path)), id);
  const allow = [...new Set(methods)].join(', ');
  return send(reply, edgeResponse('method_not_allowed', errorsAt(path), { allow }), id);
}

function matches(pattern: string, path: string): boolean {
  const expected = pattern.split('/');
  const given = path.split('/');
  return (
    expected.length === given.length && expected.every((part, i) => part.startsWith(':') || part === given[i])
  );
}

function errorsAt(path: string): Route['errors'] {
  if (path.includes('/oauth/')) return 'oauth';
  return /\/(?:v1|audit)\//.test(path) ? 'problem' : 'plain';
}

function pathOf(url: string): string {
  const mark = url.indexOf('?');
  return mark === -1 ? url : url.slice(0, mark);
}

function sourceOf(message: IncomingMessage, proxies: TrustedProxies): string {
  const peer = plainAddress(message.socket.remoteAddress);
  return sourceAddress(peer, message.rawHeaders, proxies);
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
