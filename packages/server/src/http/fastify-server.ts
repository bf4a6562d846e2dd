import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { ServerOptions as TlsOptions } from 'node:https';
import { type CertificateHeaderDialect, plainAddress, type TrustedProxies } from '@countersign/protocol';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Clock } from '../clock.ts';
import { createCallerCertificates } from './caller-certificate.ts';
import { type EdgeFault, edgeResponse } from './edge-errors.ts';
import { type EdgeDeps, serveFast, servePlain, toHttpRequest } from './fast-path.ts';
import { lingerAfterAnswer } from '@countersign/protocol/linger';
import { createListener, type HttpLimits, type HttpListener, type Listener } from './listener.ts';
import type { ServePlain } from './plain-connections.ts';
import type { PlainRequest } from './plain-request.ts';
import { header, type ReceivedRequest } from './request.ts';
import type { HttpResponse } from './response.ts';
import type { Route } from './route.ts';
import { sourceAddress } from './source-address.ts';

/** The only file that names the HTTP library. */

export interface HttpEdgeOptions {
  readonly proxies: TrustedProxies;
  readonly nextRequestId: EdgeDeps['nextRequestId'];
  readonly report: EdgeDeps['report'];
  readonly limits: HttpLimits;
  /** Without TLS of its own a listener takes connections from declared proxies alone. */
  readonly clearOnlyFromProxies: boolean;
  readonly clock: Clock;
  /** How declared proxies name their callers' certificates; undefined: they do not. */
  readonly certificateHeader?: CertificateHeaderDialect | undefined;
}

export interface ListenOptions {
  readonly host: string;
  /** 0 = any. */
  readonly port: number;
  /** Absent: plain HTTP, for loopback or behind a TLS-terminating proxy. */
  readonly tls?: TlsOptions | undefined;
}

/** The listeners of one process. The port is known before the routes are: an issuer may be named after it. */
export interface HttpEdge {
  /** Resolves with the port bound. Until `serve` every request is answered 503. */
  listen(options: ListenOptions): Promise<number>;
  /** From now on all listeners serve these routes. Once. */
  serve(routes: readonly Route[]): Promise<void>;
  /** Stops accepting, lets requests in flight end for at most `graceMs`, then cuts what is left. */
  drain(graceMs: number): Promise<void>;
}

export function createHttpEdge(options: HttpEdgeOptions): HttpEdge {
  const { limits, nextRequestId } = options;
  const listeners: HttpListener[] = [];
  const edge: EdgeDeps = {
    ...options,
    sourceOf: (message) => sourceOf(message, options.proxies),
    certificates: createCallerCertificates(options.proxies, options.certificateHeader),
  };
  let current: Served = {
    listener: (_message, response) =>
      answerBare(response, nextRequestId(), edgeResponse('not_ready', 'plain', { 'retry-after': '1' })),
    plainServedBy: () => undefined,
  };
  return {
    async listen({ host, port, tls }) {
      const listener = createListener({
        limits,
        tls,
        nextRequestId,
        // In the clear only from where somebody else has taken TLS off.
        admits: (address) =>
          tls !== undefined || !options.clearOnlyFromProxies || options.proxies.trusts(address),
        listener: (message, response) => current.listener(message, response),
        plainServedBy: (request) => current.plainServedBy(request),
        clock: options.clock,
      });
      listeners.push(listener);
      return await listener.listen(host, port);
    },
    async serve(routes) {
      current = {
        listener: await createListenerFor(routes, edge),
        plainServedBy: plainRoutes(routes, edge),
      };
    },
    drain: async (graceMs) => {
      await Promise.all(listeners.map((listener) => listener.drain(graceMs)));
    },
  };
}

/** What serves requests, whichever way they are read. */
interface Served {
  readonly listener: Listener;
  readonly plainServedBy: (request: PlainRequest) => ServePlain | undefined;
}

/** Plain requests of the fast routes; a body that is too large is refused by who can still hear the rest of it. */
function plainRoutes(routes: readonly Route[], edge: EdgeDeps): Served['plainServedBy'] {
  const served = new Map(
    routes
      .filter((route) => route.fast === true)
      .map((route) => [route.path, { route, serve: servePlain(route, edge) }]),
  );
  return ({ method, url, body }) => {
    const found = served.get(pathOf(url));
    if (found === undefined || found.route.method !== method) return undefined;
    return body.length > found.route.bodyLimit ? undefined : found.serve;
  };
}

/** Fastify for all routes but the fast ones, which are looked up before it. */
async function createListenerFor(routes: readonly Route[], edge: EdgeDeps): Promise<Listener> {
  const fast = new Map(routes.filter((route) => route.fast === true).map((route) => [route.path, route]));
  const table: RouteTable = { routes, edge };
  let framework: Listener | undefined;
  const app = Fastify({
    logger: false,
    // For what no route takes: read and dropped, so that the answer is about the path and not about the body.
    bodyLimit: UNROUTED_BODY_LIMIT,
    exposeHeadRoutes: true,
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: 2048 },
    // Bodies are checked by the contracts of the routes; the framework's own schema compilers cost 70 ms of the start.
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    frameworkErrors: (error, request, reply) => void refuse(edge, request, reply, error),
    // The framework wants a server of its own; it is handed one that never listens.
    serverFactory: (handler) => {
      framework = handler;
      return createHttpServer();
    },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error, request, reply) => refuse(edge, request, reply, error as FastifyFault));
  app.setNotFoundHandler((request, reply) => notFound(table, request, reply));
  for (const route of routes) if (route.fast !== true) mount(app, route, edge);
  await app.ready();
  return (message, response) => {
    const path = pathOf(message.url ?? '/');
    // Node drops headers beyond its own count unseen: ours is lower.
    if (message.rawHeaders.length > MOST_HEADERS * 2 || !hasOneHost(message))
      return answerBare(response, edge.nextRequestId(), edgeResponse('bad_request', errorsAt(path), CLOSE));
    const route = fast.get(path);
    if (route === undefined) framework?.(message, response);
    else serveFast(route, edge, message, response);
  };
}

/** RFC 9112 §3.2: none and more than one are answered 400. HTTP/1.0 had none. */
function hasOneHost(message: IncomingMessage): boolean {
  const { kind } = header(message, 'host');
  return kind === 'one' || (kind === 'absent' && message.httpVersion === '1.0');
}

const CLOSE = { connection: 'close' };

function answerBare(response: ServerResponse, id: string, { status, headers, body }: HttpResponse): void {
  response.writeHead(status, { ...headers, 'request-id': id }).end(body);
}

function noSchemas(): never {
  throw new Error('no route of ours has a schema of the framework');
}

/** Header fields of one request. */
const MOST_HEADERS = 100;
const UNROUTED_BODY_LIMIT = 1024 * 1024;

interface RouteTable {
  readonly routes: readonly Route[];
  readonly edge: EdgeDeps;
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
      const http = toHttpRequest(request.raw, body, id, edge, gone.signal);
      const stalled = request.raw.socket.timeout ?? 0;
      if (route.patience !== undefined) request.raw.socket.setTimeout(route.patience);
      try {
        const params = request.params as Readonly<Record<string, string>>;
        return send(reply, await route.endpoint(http, params), id);
      } catch (error) {
        edge.report(error, id);
        return send(reply, edgeResponse('bug', route.errors), id);
      } finally {
        // Who does not read its answer is given no more time than others.
        if (route.patience !== undefined) request.raw.socket.setTimeout(stalled);
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
  options: EdgeDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  error: FastifyFault,
): FastifyReply {
  const id = options.nextRequestId();
  const listed = FAULT_OF_CODE[error.code ?? ''];
  const clientFault = error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500;
  const fault: EdgeFault = listed ?? (clientFault ? 'bad_request' : 'bug');
  if (fault === 'bug') options.report(error, id);
  const headers: Record<string, string> = fault === 'body_too_large' ? CLOSE : {};
  if (fault === 'body_too_large') lingerAfterAnswer(request.raw.socket);
  return send(reply, edgeResponse(fault, errorsAt(pathOf(request.raw.url ?? '/')), headers), id);
}

/** RFC 9110 §15.5.6: 405 with `Allow` where the path exists under another method. */
function notFound({ routes, edge }: RouteTable, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = pathOf(request.raw.url ?? '/');
  const methods = routes
    .filter((route) => matches(route.path, path))
    .flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  const id = edge.nextRequestId();
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

function sourceOf(message: ReceivedRequest, proxies: TrustedProxies): string {
  const peer = plainAddress(message.socket.remoteAddress);
  return sourceAddress(peer, message.rawHeaders, proxies);
}
