// What a caller of the reverse proxy gets: its upstream's answer, or a refusal.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { lingerAfterAnswer } from '@countersign/protocol/linger';
import type { Allowed } from '../decision/decide.ts';
import { type EdgeReason, refuseEdge, type Refused } from '../decision/refusal.ts';
import type { Ledger } from '../telemetry/ledger.ts';
import { ContentTooLarge } from './content.ts';
import { endToEnd } from './hop-by-hop.ts';
import { UpstreamTimeout } from './upstream.ts';

/** The reverse proxy's name in metrics and logs. */
export const FRONT = 'proxy';

interface AnswerDeps {
  readonly ledger: Ledger;
}

/** The upstream's answer, as it is but for what belongs to its connection. Trailers end here. */
export function relay(
  answered: IncomingMessage,
  response: ServerResponse,
  admitted: Allowed,
  deps: AnswerDeps,
): void {
  // Who has gone takes nothing, and a pipe to it throws.
  if (response.destroyed) {
    answered.destroy();
    return;
  }
  const { statusCode = 502, statusMessage = '', rawHeaders } = answered;
  if (statusCode < 200) {
    answered.destroy();
    fail(response, new SwitchedUnasked(), admitted, deps);
    return;
  }
  const more = Object.entries(admitted.headers);
  const replaced = new Set(more.map(([name]) => name.toLowerCase()));
  // RFC 9110 §8.6: who believed it would wait for content, and take the next answer for that.
  if (statusCode === 204) replaced.add('content-length');
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

export function fail(
  response: ServerResponse,
  error: NodeJS.ErrnoException,
  { route }: Allowed,
  { ledger }: AnswerDeps,
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

/** RFC 9110 §7.8, §15.2.2: a server changes the protocol for who has asked for that. */
export class SwitchedUnasked extends Error {}

function reasonOf(error: NodeJS.ErrnoException): EdgeReason {
  if (error instanceof ContentTooLarge) return 'body_too_large';
  if (error instanceof UpstreamTimeout) return 'upstream_timeout';
  if (error instanceof SwitchedUnasked) return 'upstream_malformed';
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
