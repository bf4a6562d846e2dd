// Asking an authority about a token: RFC 7662 §2.

/** Who asks: a client of `@countersign/client` does, or anything that answers as RFC 7662 §2.2 says. */
export interface Introspecting {
  /** Rejects when there is no answer. */
  introspect(token: string): Promise<{ readonly active: boolean; readonly [name: string]: unknown }>;
}
