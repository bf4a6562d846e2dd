// No RFC: headers of JWTs whose signatures held, so that none is read twice. Who signs writes the same one again and again.
import type { JwsHeader, KnownHeaders, ParsedJws } from '@countersign/protocol';

/** When so many are known, it begins anew. */
export const MAX_HEADERS = 4096;
/** Longer ones are read each time. */
export const MAX_HEADER_CHARS = 256;

export interface GoodHeaders {
  readonly known: KnownHeaders;
  /** For headers alone whose signature has been verified: strangers' are none to remember. */
  remember(jws: Pick<ParsedJws, 'header' | 'headerPart'>): void;
}

export function goodHeaders(): GoodHeaders {
  const known = new Map<string, JwsHeader>();
  return {
    known,
    remember({ header, headerPart }) {
      if (headerPart.length > MAX_HEADER_CHARS || known.has(headerPart)) return;
      if (known.size >= MAX_HEADERS) known.clear();
      known.set(headerPart, Object.freeze(header));
    },
  };
}
