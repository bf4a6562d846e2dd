// WebSockets through the reverse proxy: RFC 6455 §4, RFC 9110 §7.8. A connection ends with its token.
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { endLingering } from '@countersign/protocol/linger';
import type { Watched } from '@countersign/resource-server';
import type { Allowed } from '../decision/decide.ts';
import { headerValues } from '../decision/edge-request.ts';
import { refuseEdge, type Refused } from '../decision/refusal.ts';
import { answer, fail, FRONT, relay } from './answer.ts';
import { framingOf } from './content.ts';
import { edgeRequest, forwardedHeaders } from './forwarded-request.ts';
import { endToEnd } from './hop-by-hop.ts';
import type { ProxyDeps } from './proxy.ts';

export interface UpgradeDeps extends Omit<ProxyDeps, 'limits'> {
  readonly limits: { readonly upstreamTimeout: number };
}

export type Upgrade = (message: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Bytes that a caller may send before it knows whether it may; clients wait for the answer. */
const MOST_EARLY_BYTES = 16_384;

export function createUpgrade(deps: UpgradeDeps): Upgrade {
  return (message, socket, early) => {
    const fits = deps.inFlight.enter();
    socket.once('close', () => deps.inFlight.leave());
    socket.on('error', () => socket.destroy());
    const response = responseOn(message, socket);
    const verdict = fits ? admit(message, early, deps) : Promise.resolve(refuseEdge('too_many_requests'));
    verdict
      .then((decision) => {
        if (!decision.allowed) answer(response, decision);
        else if (socket.destroyed) stopWatching(decision);
        else join({ message, socket, early, response }, decision, deps);
      })
      .catch((error: unknown) => answer(response, deps.ledger.bug(error)));
  };
}

type AllowedStream = Allowed<Watched>;

async function admit(
  message: IncomingMessage,
  early: Buffer,
  deps: UpgradeDeps,
): Promise<AllowedStream | Refused> {
  const request = edgeRequest(message);
  const decision =
    isWebSocket(message) && early.length <= MOST_EARLY_BYTES
      ? await deps.decideStream(request)
      : refuseEdge('upgrade_not_supported');
  deps.ledger.decided(FRONT, request, decision);
  return decision;
}

/** RFC 6455 §4.1. Other protocols are none that end with a token. */
function isWebSocket({ method, rawHeaders, httpVersion }: IncomingMessage): boolean {
  const [protocol, ...more] = headerValues(rawHeaders, 'upgrade');
  const named = more.length === 0 && protocol?.toLowerCase() === 'websocket';
  return (
    named && method === 'GET' && httpVersion === '1.1' && framingOf(rawHeaders, httpVersion)?.kind === 'none'
  );
}

/** For answers that are no upgrade: a connection that Node has handed over writes none by itself. */
function responseOn(message: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(message);
  response.assignSocket(socket as Parameters<ServerResponse['assignSocket']>[0]);
  response.shouldKeepAlive = false;
  response.once('finish', () => endLingering(socket));
  return response;
}

interface Handshake {
  readonly message: IncomingMessage;
  readonly socket: Duplex;
  /** What the caller sent behind its request. */
  readonly early: Buffer;
  readonly response: ServerResponse;
}

function join(
  { message, socket, early, response }: Handshake,
  admitted: AllowedStream,
  deps: UpgradeDeps,
): void {
  const upstream = deps.upstreams.get(admitted.route.upstream ?? '');
  if (upstream === undefined) throw new Error(`${admitted.route.name} has no upstream`);
  const headers = forwardedHeaders(message, admitted, { kind: 'none' }, deps);
  const request = upstream.open('GET', message.url ?? '', [
    ...headers,
    'Connection',
    'Upgrade',
    'Upgrade',
    'websocket',
  ]);
  const gone = (): void => {
    request.destroy();
    stopWatching(admitted);
  };
  socket.once('close', gone);
  request.on('error', (error) => fail(response, error, admitted, deps));
  request.once('response', (answered) => {
    stopWatching(admitted);
    relay(answered, response, admitted, deps);
  });
  request.once('upgrade', (answered, far: Duplex, farEarly) => {
    response.detachSocket(socket as Parameters<ServerResponse['detachSocket']>[0]);
    socket.write(switching(answered, admitted));
    connect(socket, far, deps.limits.upstreamTimeout * 1000);
    far.write(early);
    socket.write(farEarly);
    // Whoever holds a token that is over holds no connection. In the middle of a frame no closing frame can be said.
    admitted.verified?.signal.addEventListener('abort', () => socket.destroy());
    if (admitted.verified?.signal.aborted === true) socket.destroy();
  });
  request.end();
}

function switching({ rawHeaders }: IncomingMessage, { headers }: AllowedStream): string {
  const lines = [
    ...endToEnd(rawHeaders, () => false),
    'Connection',
    'Upgrade',
    'Upgrade',
    'websocket',
    ...Object.entries(headers).flat(),
  ];
  const text = lines.map((part, i) => (i % 2 === 0 ? `${part}: ` : `${part}\r\n`)).join('');
  return `HTTP/1.1 101 Switching Protocols\r\n${text}\r\n`;
}

/** Each end hears what the other says, until one ends or both are silent for too long. */
function connect(near: Duplex, far: Duplex, silentMs: number): void {
  for (const [one, other] of [
    [near, far],
    [far, near],
  ] as const) {
    one.on('error', () => one.destroy());
    one.once('close', () => other.destroy());
    (one as Partial<Timed>).setTimeout?.(silentMs, () => one.destroy());
    one.pipe(other);
  }
}

interface Timed {
  setTimeout(ms: number, late: () => void): void;
}

function stopWatching({ verified }: AllowedStream): void {
  verified?.stop();
}
