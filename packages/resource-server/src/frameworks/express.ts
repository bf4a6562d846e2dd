// Express 4 and 5: middleware that lets a request pass (RFC 6750 §3) and that serves the API's metadata (RFC 9728 §3).
import type { RequestHeaders } from '../presented-token.ts';
import type { Verified } from '../token-request.ts';
import type { Verifier } from '../verifier.ts';
import { requireScope as guardOf, type NodeResponse, resourceMetadata as metadataOf } from './node-http.ts';

/** What is used of an Express request. After `requireScope`, `auth` holds claims and scopes. */
export interface ExpressRequest extends RequestHeaders {
  auth?: Verified;
}

/** What is used of an Express response: it is node's own. */
export type ExpressResponse = NodeResponse;

type Next = (error?: unknown) => void;
export type ExpressHandler = (request: ExpressRequest, response: ExpressResponse, next: Next) => unknown;

/** Middleware that lets a request pass only with a token that carries all of `scope`. */
export function requireScope(verifier: Verifier, scope: string | readonly string[]): ExpressHandler {
  const guard = guardOf(verifier, scope);
  return async (request, response, next) => {
    let auth: Verified | undefined;
    try {
      auth = await guard(request, response);
    } catch (error) {
      next(error);
      return;
    }
    if (auth === undefined) return;
    request.auth = auth;
    next();
  };
}

/** Middleware that answers requests for the API's RFC 9728 document and passes on all others. */
export function resourceMetadata(verifier: Pick<Verifier, 'metadata'>): ExpressHandler {
  const answers = metadataOf(verifier);
  return (request, response, next) => {
    if (!answers(request, response)) next();
  };
}
