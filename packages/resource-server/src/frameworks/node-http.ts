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
  readonly stream?: { readonly destroyed?: boolean; destroy?(): unknown };
  once(event: 'close', listener: () => void): unknown;
  on?(event: 'error', listener: () => void): unknown;
  end(body?: string): unknown;
  destroy?(): unknown;
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
    if (!endWith(response, result)) return undefined;
    setHeaders(response, result.headers);
    return result;
  };
}

/** Milliseconds in which the other side may read the rest. */
const ENDING_MS = 500;

/**
 * Ends the response when the token no longer holds, and stops watching when it has ended. Whoever does not read it to its end
 * by then is cut. False for a caller that has hung up already.
 */
export function endWith(response: NodeStreamResponse, watched: Watched): boolean {
  // Its `close` has been and does not come again.
  if (response.destroyed === true || response.stream?.destroyed === true) {
    watched.stop();
    return false;
  }
  let cut: ReturnType<typeof setTimeout> | undefined;
  watched.signal.addEventListener('abort', () => {
    // Who makes the events may learn of the end from `close` alone: what it writes until then must not end the process.
    response.on?.('error', () => undefined);
    response.end();
    cut = setTimeout(() => {
      if (response.stream === undefined) response.destroy?.();
      else response.stream.destroy?.();
    }, ENDING_MS);
  });
  response.once('close', () => {
    clearTimeout(cut);
    watched.stop();
  });
  return true;
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
