/** One request as its sender made it, whoever handed it over: a front proxy that asks, Envoy, or the caller itself. */
export interface EdgeRequest {
  readonly method: string;
  /** The request target as it was sent: path and query, nothing decoded. */
  readonly target: string;
  /** Every `Host` there was; one is right. */
  readonly hosts: readonly string[];
  /** Names and values in turn: in a joined view a second header of the same name cannot be seen. */
  readonly rawHeaders: readonly string[];
  /** Connection that it came over; whose word about a certificate counts is decided by its other end. */
  readonly socket: object | undefined;
  /** DER of the caller's certificate, where who hands the request over says so itself (Envoy). */
  readonly certificate?: Uint8Array | undefined;
}

/** Values of all headers of a name, which is given in lower case. */
export function headerValues(rawHeaders: readonly string[], name: string): readonly string[] {
  return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === name);
}

/** Names of all headers, in lower case, once each. */
export function headerNames(rawHeaders: readonly string[]): ReadonlySet<string> {
  return new Set(rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase()));
}

/**
 * A field name as the most careless reader may take it: CGI and its descendants make `_` of everything that is neither letter
 * nor digit (RFC 3875 §4.1.18 of `-`, some servers of the rest).
 */
export function plainName(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '-');
}
