import { type ProblemCode, problemDocument } from '@countersign/admin-api';
import type { HttpResponse } from './response.ts';
import type { Route } from './route.ts';

/** What the edge itself has to refuse, before any endpoint. */
export type EdgeFault =
  | 'bad_request'
  | 'not_found'
  | 'method_not_allowed'
  | 'body_too_large'
  | 'timeout'
  | 'headers_too_large'
  | 'not_ready'
  | 'bug';

interface EdgeEntry {
  readonly status: number;
  readonly title: string;
  /** Registered OAuth code for OAuth endpoints. */
  readonly problem: ProblemCode;
  readonly oauth: 'invalid_request' | 'temporarily_unavailable' | 'server_error';
}

export const EDGE_FAULTS: { readonly [fault in EdgeFault]: EdgeEntry } = {
  bad_request: {
    status: 400,
    title: 'The request is malformed',
    problem: 'malformed_request',
    oauth: 'invalid_request',
  },
  not_found: {
    status: 404,
    title: 'There is nothing at this path',
    problem: 'not_found',
    oauth: 'invalid_request',
  },
  method_not_allowed: {
    status: 405,
    title: 'This method is not allowed here',
    problem: 'method_not_allowed',
    oauth: 'invalid_request',
  },
  body_too_large: {
    status: 413,
    title: 'The body is too large',
    problem: 'payload_too_large',
    oauth: 'invalid_request',
  },
  timeout: {
    status: 408,
    title: 'The request took too long',
    problem: 'request_timeout',
    oauth: 'invalid_request',
  },
  headers_too_large: {
    status: 431,
    title: 'The headers are too large',
    problem: 'headers_too_large',
    oauth: 'invalid_request',
  },
  not_ready: {
    problem: 'unavailable',
    status: 503,
    title: 'This node is starting or shutting down',
    oauth: 'temporarily_unavailable',
  },
  bug: { status: 500, title: 'Something is wrong here', problem: 'internal_error', oauth: 'server_error' },
};

/** The answer in the form that callers of this route read. */
export function edgeResponse(
  fault: EdgeFault,
  errors: Route['errors'],
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  const { status, title, oauth, problem } = EDGE_FAULTS[fault];
  if (errors === 'oauth') {
    const body = JSON.stringify({ error: oauth, error_description: title.toLowerCase() });
    const plain = { 'content-type': 'application/json', 'cache-control': 'no-store', pragma: 'no-cache' };
    return { status, headers: { ...plain, ...headers }, body };
  }
  if (errors === 'problem') {
    const body = JSON.stringify(problemDocument(problem));
    return { status, headers: { 'content-type': 'application/problem+json', ...headers }, body };
  }
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, body: `${title}\n` };
}
