// The only place where a refusal becomes an answer: RFC 6749 §5.2, RFC 6750 §3 for the scheme, RFC 9110 §15.5.
import type { HttpResponse } from '../../http/response.ts';
import { type RefusalReason, refusalEntry } from '../refusal.ts';

// RFC 6749 §5.1: no-store also on errors, so that no cache ever decides whether a client is authenticated.
const NO_STORE = {
  'content-type': 'application/json',
  'cache-control': 'no-store',
  pragma: 'no-cache',
} as const;
/** Seconds until a caller may try again when the authority itself cannot. */
const RETRY_AFTER = 1;

/** `more`: headers that the reason brings, such as when to come back. */
export function errorResponse(reason: RefusalReason, more?: Readonly<Record<string, string>>): HttpResponse {
  const entry = refusalEntry(reason);
  const body = JSON.stringify({ error: entry.code, error_description: entry.description });
  if (entry.status === 401) {
    return { status: 401, headers: { ...NO_STORE, 'www-authenticate': 'Basic realm="countersign"' }, body };
  }
  const again = entry.status === 503 || entry.status === 429;
  const base = again ? { ...NO_STORE, 'retry-after': String(RETRY_AFTER) } : NO_STORE;
  return { status: entry.status, headers: more === undefined ? base : { ...base, ...more }, body };
}

/** In the place of a failed authentication, whatever was wrong with it: it depends on how often, never on why. */
export function tooManyFailuresResponse(retryAfter: number): HttpResponse {
  return {
    status: 429,
    headers: { ...NO_STORE, 'retry-after': String(retryAfter) },
    body: '{"error":"temporarily_unavailable","error_description":"too many failed attempts"}',
  };
}

/** A bug of ours: nothing of it goes out. */
export function serverErrorResponse(): HttpResponse {
  return { status: 500, headers: NO_STORE, body: '{"error":"server_error"}' };
}
