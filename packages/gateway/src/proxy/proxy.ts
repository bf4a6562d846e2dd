// The reverse proxy: decide, forward, relay.
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { endLingering } from '@countersign/protocol/linger';
import type { Watched } from '@countersign/resource-server';
import type { Allowed, DecideStream } from '../decision/decide.ts';
import { type EdgeReason, refuseEdge, type Refused } from '../decision/refusal.ts';
import type { Ledger } from '../telemetry/ledger.ts';
import { answer, fail, FRONT, relay, SwitchedUnasked } from './answer.ts';
import { type Framing, framingOf, limited } from './content.ts';
import { edgeRequest, forwardedHeaders, type ForwardingDeps } from './forwarded-request.ts';
import type { InFlight } from './in-flight.ts';
import type { Upstream } from './upstream.ts';

export interface ProxyDeps extends ForwardingDeps {
  readonly decideStream: DecideStream;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly limits: { readonly bodyBytes: number };
  readonly inFlight: InFlight;
  readonly ledger: Ledger;
}

export type Proxy = (message: IncomingMessage, response: ServerResponse, continues: boolean) => void;

export function createProxy(deps: ProxyDeps): Proxy {
  const { inFlight } = deps;
  /** Connections on which nobody can tell for sure where a request ends. */
  const unclear = new WeakSet<object>();
  return (message, response, continues) => {
    if (unclear.has(message.socket)) return;
    const fits = inFlight.enter();
    response.once('close', () => inFlight.leave());
    // A caller that is gone is no error of anybody.
    message.on('error', () => response.destroy());
    const framing = framingOf(message.rawHeaders, message.httpVersion);
    if (framing === undefined) {
      unclear.add(message.socket);
      response.shouldKeepAlive = false;
    }
    const exchange = { message, response, continues, framing };
    (fits ? admit(exchange, deps) : Promise.resolve(refuseEdge('too_many_requests')))
      .then((verdict) => {
        if (verdict.allowed) forward(exchange, verdict, deps);
        else answer(response, verdict);
      })
      .catch((error: unknown) => answer(response, deps.ledger.bug(error)));
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

type Admitted = Allowed<Watched> & { readonly framing: Framing };

async function admit(
  { message, continues, framing }: Exchange,
  { decideStream, limits, ledger }: ProxyDeps,
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
  const decision = await decideStream(request);
  ledger.decided(FRONT, request, decision);
  return decision.allowed ? { ...decision, framing } : decision;
}

function forward(exchange: Exchange, admitted: Admitted, deps: ProxyDeps): void {
  const { message, response, continues } = exchange;
  if (response.destroyed) {
    admitted.verified?.stop();
    return;
  }
  let asked: ClientRequest | undefined;
  response.once('close', () => {
    admitted.verified?.stop();
    asked?.destroy();
  });
  const { method = '', url = '' } = message;
  const upstream = deps.upstreams.get(admitted.route.upstream ?? '');
  if (upstream === undefined) throw new Error(`${admitted.route.name} has no upstream`);
  const headers = forwardedHeaders(message, admitted, admitted.framing, deps);
  const send = (mayRetry: boolean): void => {
    const request = upstream.open(method, url, headers);
    asked = request;
    let answered = false;
    request.once('response', (reply) => {
      answered = true;
      if (isEventStream(reply)) endWith(response, admitted);
      relay(reply, response, admitted, deps);
    });
    request.once('upgrade', (_reply, socket) => {
      socket.destroy();
      fail(response, new SwitchedUnasked(), admitted, deps);
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      // An upstream may answer and hang up before it has heard everything; its answer stands or falls by itself.
      if (answered || response.destroyed) return;
      if (mayRetry && request.reusedSocket && error.code === 'ECONNRESET') send(false);
      else fail(response, error, admitted, deps);
    });
    pass(message, request, admitted.framing, deps);
  };
  // Content that nobody waits for any more is not taken for the next request, and holds no connection.
  response.once('finish', () => {
    if (message.complete) return;
    message.unpipe();
    endLingering(message.socket);
  });
  if (continues) response.writeContinue();
  send(admitted.framing.kind === 'none' && REPEATABLE.has(method));
}

/** Of all answers the one that has no end of its own: text/event-stream of the HTML Standard, §9.2. */
function isEventStream({ headers }: IncomingMessage): boolean {
  return /^text\/event-stream(?:\s*;|$)/i.test(headers['content-type'] ?? '');
}

function endWith(response: ServerResponse, { verified }: Admitted): void {
  if (verified?.signal.aborted === true) response.destroy();
  else verified?.signal.addEventListener('abort', () => response.destroy());
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
