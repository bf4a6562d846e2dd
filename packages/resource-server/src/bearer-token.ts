// Reading the bearer token of a request, from the Authorization header only: RFC 6750 §2.1, RFC 9110 §11.6.2.
import type { RefusalReason } from './refusal.ts';

export type BearerTokenResult =
  | { readonly ok: true; readonly token: string }
  | {
      readonly ok: false;
      readonly reason: RefusalReason &
        ('no_token' | 'unsupported_scheme' | 'malformed_authorization' | 'several_authorizations');
    };

/** The parts of node's IncomingMessage that are read. `rawHeaders`, because node drops a second Authorization. */
export interface RequestHeaders {
  readonly rawHeaders?: readonly string[] | undefined;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
}

const SCHEME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?= |$)/;
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

/** Finds the one token of a request. Tokens in a query or a body are not looked at. */
export function bearerToken(request: RequestHeaders): BearerTokenResult {
  const values = authorizations(request);
  if (values.length === 0) return { ok: false, reason: 'no_token' };
  // RFC 6750 §2: one method, once.
  if (values.length > 1) return { ok: false, reason: 'several_authorizations' };
  const value = values[0] as string;
  const token = BEARER.exec(value)?.[1];
  if (token !== undefined) return { ok: true, token };
  const scheme = SCHEME.exec(value)?.[0];
  if (scheme === undefined || scheme.toLowerCase() === 'bearer') {
    return { ok: false, reason: 'malformed_authorization' };
  }
  return { ok: false, reason: 'unsupported_scheme' };
}

function authorizations({ rawHeaders, headers }: RequestHeaders): readonly string[] {
  if (rawHeaders !== undefined) {
    return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === 'authorization');
  }
  const value = headers['authorization'];
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}
