// Express: middleware that lets a request pass (RFC 6750 §3) and that serves the API's metadata (RFC 9728 §3).
import type { RequestHeaders } from '../presented-token.ts';
import { refusalBody, requireScope as authorize } from '../require-scope.ts';
import type { Verified, Verifier, VerifyResult } from '../verifier.ts';

/** What is used of an Express request. After `requireScope`, `auth` holds claims and scopes. */
export interface ExpressRequest extends RequestHeaders {
  auth?: Verified;
}

/** What is used of an Express response: it is node's own. */
export interface ExpressResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

type Next = (error?: unknown) => void;
export type ExpressHandler = (request: ExpressRequest, response: ExpressResponse, next: Next) => unknown;

/** Middleware that lets a request pass only with a token that carries all of `scope`. */
export function requireScope(verifier: Verifier, scope: string | readonly string[]): ExpressHandler {
  return async (request, response, next) => {
    let result: VerifyResult;
    try {
      result = await authorize(verifier, request, scope);
    } catch (error) {
      next(error);
      return;
    }
    if (result.ok) {
      request.auth = result;
      setHeaders(response, result.headers);
      next();
    } else send(response, result.status, result.headers, refusalBody(result.error));
  };
}

/** Middleware that answers requests for the API's RFC 9728 document and passes on all others. */
export function resourceMetadata(verifier: Pick<Verifier, 'metadata'>): ExpressHandler {
  const { metadata } = verifier;
  return (request, response, next) => {
    if (metadata === undefined || request.method !== 'GET' || request.originalUrl !== metadata.path) next();
    else send(response, 200, { 'Cache-Control': 'max-age=300' }, JSON.stringify(metadata.document));
  };
}

function setHeaders(response: ExpressResponse, headers: Readonly<Record<string, string>> = {}): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}

function send(
  response: ExpressResponse,
  status: number,
  headers: Record<string, string>,
  body: string,
): void {
  response.statusCode = status;
  setHeaders(response, headers);
  response.setHeader('Content-Type', 'application/json');
  response.end(body);
}
