// The reverse proxy: decide, forward, relay.
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import type { Allowed, Decide } from '../decision/decide.ts';
import { type EdgeRequest, headerValues } from '../decision/edge-request.ts';
import { type EdgeReason, refuseEdge, type Refused } from '../decision/refusal.ts';
import { lingerAfterAnswer } from '../http/linger.ts';
import type { Ledger } from '../telemetry/ledger.ts';
import { ContentTooLarge, type Framing, framingOf, limited } from './content.ts';
import { forwardedHeaders, type ForwardingDeps } from './forwarded-request.ts';
import { endToEnd } from './hop-by-hop.ts';
import { type Upstream, UpstreamTimeout } from './upstream.ts';

export interface ProxyDeps extends ForwardingDeps {
  readonly decide: Decide;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly limits: { readonly bodyBytes: number; readonly inFlight: number };
  readonly ledger: Ledger;
}

export interface Proxy {
  onRequest(message: IncomingMessage, response: ServerResponse, continues: boolean): void;
  inFlight(): number;
}

const FRONT = 'proxy';

export function createProxy(deps: ProxyDeps): Proxy {
  let inFlight = 0;
  /** Connections on which nobody can tell for sure where a request ends. */
  const unclear = new WeakSet<object>();
  return {
    onRequest(message, response, continues) {
      if (unclear.has(message.socket)) return;
      inFlight++;
      response.once('close', () => inFlight--);
      // A caller that is gone is no error of anybody.
      message.on('error', () => response.destroy());
      const framing = framingOf(message.rawHeaders, message.httpVersion);
      if (framing === undefined) {
        unclear.add(message.socket);
        response.shouldKeepAlive = false;
      }
      const exchange = { message, response, continues, framing };
      const busy = inFlight > deps.limits.inFlight;
      (busy ? Promise.resolve(refuseEdge('too_many_requests')) : admit(exchange, deps))
        .then((verdict) => {
          if (verdict.allowed) forward(exchange, verdict, deps);
          else answer(response, verdict);
        })
        .catch((error: unknown) => answer(response, deps.ledger.bug(error)));
    },
    inFlight: () => inFlight,
  };
}

/** One request and its answer, on the caller's side. */
interface Exchange {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  /** Whether the caller waits for `100 Continue`. */
  readonly continues: boolean;
  /** Undefined where it cannot be told. */
  readonly framing: Framing | undefined;
}

type Admitted = Allowed & { readonly framing: Framing };

async function admit(
  { message, continues, framing }: Exchange,
  { decide, limits, ledger }: ProxyDeps,
): Promise<Admitted | Refused> {
  const request = edgeRequest(message);
  const refused = (reason: EdgeReason): Refused => {
    const refusal = refuseEdge(reason);
    ledger.decided(FRONT, request, refusal);
    return refusal;
  };
  if (framing === undefined) return refused('bad_framing');
  if (message.headers.expect !== undefined && !continues) return refused('unsupported_expectation');
  if (framing.kind === 'length' && framing.bytes > limits.bodyBytes) return refused('body_too_large');
  const decision = await decide(request);
  ledger.decided(FRONT, request, decision);
  return decision.allowed ? { ...decision, framing } : decision;
}

/** The request of a caller that is connected to us. */
export function edgeRequest({ method = '', url = '', rawHeaders, socket }: IncomingMessage): EdgeRequest {
  return { method, target: url, hosts: headerValues(rawHeaders, 'host'), rawHeaders, socket };
}

function forward(exchange: Exchange, admitted: Admitted, deps: ProxyDeps): void {
  const { message, response, continues } = exchange;
  const { method = '', url = '' } = message;
  const upstream = deps.upstreams.get(admitted.route.upstream ?? '');
  if (upstream === undefined) throw new Error(`${admitted.route.name} has no upstream`);
  const headers = forwardedHeaders(message, admitted, admitted.framing, deps);
  const send = (mayRetry: boolean): void => {
    const request = upstream.open(method, url, headers);
    request.once('response', (answered) => relay(answered, response, admitted, deps));
    request.once('error', (error: NodeJS.ErrnoException) => {
      if (mayRetry && request.reusedSocket && error.code === 'ECONNRESET') send(false);
      else fail(response, error, admitted, deps);
    });
    response.once('close', () => request.destroy());
    pass(message, request, admitted.framing, deps);
  };
  if (continues) response.writeContinue();
  send(admitted.framing.kind === 'none' && REPEATABLE.has(method));
}

/** RFC 9110 §9.2.2, §9.3.1 of RFC 9112: a connection that the upstream closed while it was idle. */
const REPEATABLE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

function pass(
  message: IncomingMessage,
  request: ClientRequest,
  framing: Framing,
  { limits }: ProxyDeps,
): void {
  if (framing.kind === 'none') {
    request.end();
    return;
  }
  const content = message.pipe(limited(limits.bodyBytes));
  content.on('error', (error) => {
    // The rest goes nowhere, so that the caller can read why.
    message.unpipe(content);
    message.resume();
    request.destroy(error);
  });
  message.once('close', () => {
    if (!message.complete) request.destroy();
  });
  content.pipe(request);
}

/** The upstream's answer, as it is but for what belongs to its connection. Trailers end here. */
function relay(
  answered: IncomingMessage,
  response: ServerResponse,
  admitted: Admitted,
  deps: ProxyDeps,
): void {
  const { statusCode = 502, statusMessage = '', rawHeaders } = answered;
  const more = Object.entries(admitted.headers);
  const replaced = new Set(more.map(([name]) => name.toLowerCase()));
  const headers = [...endToEnd(rawHeaders, (name) => replaced.has(name)), ...more.flat()];
  try {
    response.writeHead(statusCode, statusMessage, headers);
  } catch (error) {
    answered.destroy();
    fail(response, error as Error, admitted, deps);
    return;
  }
  // What breaks off here breaks off there: half an answer must not look whole.
  pipeline(answered, response, (error) => {
    if (error) response.destroy();
  });
}

function fail(
  response: ServerResponse,
  error: NodeJS.ErrnoException,
  { route }: Admitted,
  { ledger }: ProxyDeps,
): void {
  if (response.destroyed) return;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const refused = refuseEdge(reasonOf(error), error.code ?? error.message, route.name);
  ledger.failed(FRONT, refused);
  answer(response, refused);
}

function reasonOf(error: NodeJS.ErrnoException): EdgeReason {
  if (error instanceof ContentTooLarge) return 'body_too_large';
  if (error instanceof UpstreamTimeout) return 'upstream_timeout';
  const { code = '' } = error;
  return code.startsWith('HPE_') || code.startsWith('ERR_') ? 'upstream_malformed' : 'upstream_unreachable';
}

/** A refusal; the connection ends where content may still come that nobody reads. */
export function answer(response: ServerResponse, { status, headers, body }: Refused): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (!response.req.complete) {
    response.shouldKeepAlive = false;
    lingerAfterAnswer(response.req.socket);
  }
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
