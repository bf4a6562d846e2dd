// Plain node:http, http2's compatible face too: a guard (RFC 6750 §3) and the API's metadata (RFC 9728 §3).
import type { RequestHeaders } from '../presented-token.ts';
import { requireScope as authorize, watchScope as watch } from '../require-scope.ts';
import type { Verified } from '../token-request.ts';
import type { Verifier } from '../verifier.ts';
import type { Watched, WatchOptions } from '../watch.ts';
import { type Answer, metadataAnswer, refusalAnswer } from './answer.ts';

/** What is used of a response. */
export interface NodeResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

/** Resolves to what the token says, or to undefined when the request was refused: then it has been answered. */
export function requireScope(
  verifier: Verifier,
  scope: string | readonly string[],
): (request: RequestHeaders, response: NodeResponse) => Promise<Verified | undefined> {
  return async (request, response) => {
    const result = await authorize(verifier, request, scope);
    if (!result.ok) {
      send(response, refusalAnswer(result));
      return undefined;
    }
    setHeaders(response, result.headers);
    return result;
  };
}

/** What is used of a response that goes on. */
export interface NodeStreamResponse extends NodeResponse {
  readonly destroyed?: boolean;
  /** Of HTTP/2. */
  readonly stream?: { readonly destroyed?: boolean };
  once(event: 'close', listener: () => void): unknown;
  end(body?: string): unknown;
}

/**
 * The same for a response that goes on, as of server-sent events: it is ended when the token no longer holds, and no longer
 * watched when it has ended. Undefined also for a caller that has hung up meanwhile.
 */
export function watchScope(
  verifier: Verifier,
  scope: string | readonly string[],
  options?: WatchOptions,
): (request: RequestHeaders, response: NodeStreamResponse) => Promise<Watched | undefined> {
  return async (request, response) => {
    const result = await watch(verifier, request, scope, options);
    if (!result.ok) {
      send(response, refusalAnswer(result));
      return undefined;
    }
    // Its `close` has been and does not come again.
    if (response.destroyed === true || response.stream?.destroyed === true) {
      result.stop();
      return undefined;
    }
    setHeaders(response, result.headers);
    result.signal.addEventListener('abort', () => response.end());
    response.once('close', () => result.stop());
    return result;
  };
}

/** True when the request was one for the API's RFC 9728 document: then it has been answered. */
export function resourceMetadata(
  verifier: Pick<Verifier, 'metadata'>,
): (request: RequestHeaders, response: NodeResponse) => boolean {
  return ({ method, url, originalUrl }, response) => {
    const answer = metadataAnswer(verifier.metadata, { method, target: originalUrl ?? url });
    if (answer === undefined) return false;
    send(response, answer);
    return true;
  };
}

/** Ends `response` with `answer`. */
export function send(response: NodeResponse, { status, headers, body }: Answer): void {
  response.statusCode = status;
  setHeaders(response, headers);
  response.end(body);
}

export function setHeaders(response: NodeResponse, headers: Readonly<Record<string, string>> = {}): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}
