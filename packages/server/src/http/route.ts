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
  /** Served before the framework, from the bare socket's request: for the token path alone. Literal paths only. */
  readonly fast?: boolean;
}
