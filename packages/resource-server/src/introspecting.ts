// Asking an authority about a token: RFC 7662 §2.

/** Who asks: a client of `@countersign/client` does, or anything that answers as RFC 7662 §2.2 says. */
export interface Introspecting {
  /** Rejects when there is no answer. `hint`: `token_type_hint` of RFC 7662 §2.1, to be sent along. */
  introspect(
    token: string,
    hint?: string,
  ): Promise<{ readonly active: boolean; readonly [name: string]: unknown }>;
}
