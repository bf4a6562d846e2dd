// The endpoint that front proxies ask before they let a request through.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { announcesContent } from '@countersign/daemon';
import { plainAddress, type TrustedProxies } from '@countersign/protocol';
import type { Allowed, Decide, Decision } from '../decision/decide.ts';
import { headerNames } from '../decision/edge-request.ts';
import type { IdentityHeaders } from '../decision/identity.ts';
import { refuseEdge, type Refused } from '../decision/refusal.ts';
import type { Ledger } from '../telemetry/ledger.ts';
import { type Front, frontOf } from './front.ts';

export interface AuthEndpointDeps {
  readonly decide: Decide;
  readonly identity: IdentityHeaders;
  readonly frontProxies: TrustedProxies;
  /** What a caller proves itself with and no upstream gets, in lower case. */
  readonly credentials: readonly string[];
  readonly ledger: Ledger;
}

/** Answers 200 with what the upstream is to be told, or the refusal as the caller shall get it. */
export function createAuthEndpoint(
  deps: AuthEndpointDeps,
): (message: IncomingMessage, response: ServerResponse) => void {
  return (message, response) => {
    // A body would be the caller's, and none of it is read here.
    if (announcesContent(message)) response.shouldKeepAlive = false;
    const front = frontOf(message.url ?? '');
    if (front === undefined) {
      response.writeHead(404, { 'Cache-Control': 'no-store' }).end();
      return;
    }
    const request = front.read(message);
    decideFor(front, request, message, deps)
      .catch((error: unknown) => deps.ledger.bug(error))
      .then((decision) => {
        deps.ledger.decided(front.name, typeof request === 'string' ? undefined : request, decision);
        answer(front, decision, message, response, deps);
      })
      .catch((error: unknown) => {
        deps.ledger.bug(error);
        response.destroy();
      });
  };
}

async function decideFor(
  front: Front,
  request: ReturnType<Front['read']>,
  { socket }: IncomingMessage,
  deps: AuthEndpointDeps,
): Promise<Decision> {
  if (!deps.frontProxies.trusts(plainAddress(socket.remoteAddress))) return refuseEdge('front_proxy_unknown');
  if (typeof request === 'string') return refuseEdge(request);
  const imitation = [...headerNames(request.rawHeaders)].find((name) => deps.identity.imitates(name));
  if (imitation !== undefined) return refuseEdge('identity_header_imitated', imitation);
  const decision = await deps.decide(request);
  const left = front.leavesWhereEmpty && decision.allowed ? untold(decision, request.rawHeaders) : undefined;
  return left === undefined ? decision : refuseEdge('identity_header_imitated', left);
}

/** A header of the caller in the place of one of ours that is empty. */
function untold({ identity }: Allowed, rawHeaders: readonly string[]): string | undefined {
  const names = headerNames(rawHeaders);
  return identity.find(([name, value]) => value === '' && names.has(name.toLowerCase()))?.[0];
}

function answer(
  front: Front,
  decision: Decision,
  message: IncomingMessage,
  response: ServerResponse,
  { identity, credentials }: AuthEndpointDeps,
): void {
  if (!decision.allowed) {
    refuse(front, decision, response);
    return;
  }
  for (const [name, value] of [...Object.entries(decision.headers), ...decision.identity]) {
    response.setHeader(name, value);
  }
  response.setHeader('Cache-Control', 'no-store');
  if (front.removalHeader !== undefined) {
    const removed = [...headerNames(message.rawHeaders)].filter((name) => identity.imitates(name));
    response.setHeader(front.removalHeader, [...credentials, ...removed].join(','));
  }
  response.writeHead(200, { 'Content-Length': 0 }).end();
}

function refuse(front: Front, { status, headers, body }: Refused, response: ServerResponse): void {
  const named: Record<string, string> = {};
  if (front.onlyUnauthorizedAndForbidden) {
    named['Countersign-Status'] = String(status);
    named['Countersign-Body'] = body;
    // nginx passes the challenge of a 401 on by itself.
    const challenge = headers['WWW-Authenticate'];
    if (status !== 401 && challenge !== undefined) named['Countersign-Challenge'] = challenge;
  }
  const known = status === 401 || status === 403 || !front.onlyUnauthorizedAndForbidden;
  const length = { 'Content-Length': Buffer.byteLength(body) };
  response.writeHead(known ? status : 403, { ...headers, ...named, ...length }).end(body);
}
