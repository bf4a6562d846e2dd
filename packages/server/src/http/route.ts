import type { HttpRequest } from './request.ts';
import type { HttpResponse } from './response.ts';

/** An endpoint is a function: tests call it without a port. It never throws for bad input. */
export type Endpoint = (
  request: HttpRequest,
  params: Readonly<Record<string, string>>,
) => Promise<HttpResponse>;

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Literal segments and `:name` segments: `/v1/identities/:id`. */
  readonly path: string;
  readonly endpoint: Endpoint;
  /** Largest body in bytes; larger is answered 413 without reading on. */
  readonly bodyLimit: number;
  /**
   * How the edge answers what never reaches the endpoint (413, 405, 408): `oauth` as RFC 6749 §5.2 JSON,
   * `problem` as RFC 9457, `plain` as text.
   */
  readonly errors: 'oauth' | 'problem' | 'plain';
  /** Milliseconds that its caller waits for an answer, where that is longer than other connections may be silent. */
  readonly patience?: number;
  /** Served before the framework, from the bare socket's request: for the token path alone. Literal paths only. */
  readonly fast?: boolean;
}

const WELL_KNOWN = /(?:^|\/)\.well-known\//;

/**
 * The routes below a path (`/t1`; empty for none), as an issuer with a path names its endpoints. Well-known ones say
 * themselves where they stand: RFC 8414 §3.1 and RFC 9728 §3.1 insert that path, others append to it.
 */
export function below(path: string, routes: readonly Route[]): readonly Route[] {
  if (path === '') return routes;
  return routes.map((route) =>
    WELL_KNOWN.test(route.path) ? route : { ...route, path: `${path}${route.path}` },
  );
}
