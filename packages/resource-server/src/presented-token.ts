// Reading the access token of a request and the proof beside it, from headers only: RFC 6750 §2.1, RFC 9449 §7.1, RFC 9110 §11.6.2.
import type { TokenScheme } from '@countersign/protocol/portable';
import type { RefusalReason } from './refusal.ts';

export interface PresentedToken {
  readonly ok: true;
  readonly token: string;
  readonly scheme: TokenScheme;
  /** The one `DPoP` header, read only with the scheme that goes with it. */
  readonly dpop: string | undefined;
}

export type PresentedTokenResult =
  | PresentedToken
  | {
      readonly ok: false;
      readonly reason: RefusalReason &
        (
          | 'no_token'
          | 'unsupported_scheme'
          | 'malformed_authorization'
          | 'several_authorizations'
          | 'dpop_proof_repeated'
        );
      readonly scheme: TokenScheme | undefined;
    };

/**
 * The parts of node's IncomingMessage that are read. `rawHeaders`, because node drops a second Authorization. `method` and
 * the request target are for proofs of possession: `originalUrl` where a framework shortens `url` for its routers.
 */
export interface RequestHeaders {
  readonly rawHeaders?: readonly string[] | undefined;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly originalUrl?: string | undefined;
  /** For tokens that are bound to the certificate of the connection. */
  readonly socket?: object | undefined;
}

const SCHEME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?= |$)/;
const API_KEY = /^cak_[0-9A-Za-z_]{1,200}$/;
const TOKEN = /^(bearer|dpop) +([A-Za-z0-9\-._~+/]+=*)$/i;

export interface PresentedTokenOptions {
  /** Also take an API key from `X-API-Key`, as a bearer token. Default false: the header is not looked at. */
  readonly apiKeys?: boolean;
}

/** Finds the one token of a request. Tokens in a query or a body are not looked at. */
export function presentedToken(
  request: RequestHeaders,
  { apiKeys = false }: PresentedTokenOptions = {},
): PresentedTokenResult {
  const values = valuesOf(request, 'authorization');
  const keys = apiKeys ? valuesOf(request, 'x-api-key') : [];
  if (keys.length > 0) return presentedKey(keys, values);
  if (values.length === 0) return refuse('no_token');
  // RFC 6750 §2: one method, once.
  if (values.length > 1) return refuse('several_authorizations');
  const value = values[0] as string;
  const found = TOKEN.exec(value);
  if (found === null) {
    const scheme = schemeOf(SCHEME.exec(value)?.[0] ?? 'bearer');
    return scheme === undefined ? refuse('unsupported_scheme') : refuse('malformed_authorization', scheme);
  }
  const scheme = schemeOf(found[1] as string) as TokenScheme;
  const token = found[2] as string;
  if (scheme === 'Bearer') return { ok: true, token, scheme, dpop: undefined };
  const proofs = valuesOf(request, 'dpop');
  // RFC 9449 §4.3, 1.
  if (proofs.length > 1) return refuse('dpop_proof_repeated', scheme);
  return { ok: true, token, scheme, dpop: proofs[0] };
}

/** RFC 6750 §2 in spirit: one credential, once. Only a key may come this way, for a token has a header of its own. */
function presentedKey(keys: readonly string[], tokens: readonly string[]): PresentedTokenResult {
  if (keys.length > 1 || tokens.length > 0) return refuse('several_authorizations');
  const token = (keys[0] as string).trim();
  if (!API_KEY.test(token)) return refuse('malformed_authorization', 'Bearer');
  return { ok: true, token, scheme: 'Bearer', dpop: undefined };
}

function schemeOf(name: string): TokenScheme | undefined {
  const lower = name.toLowerCase();
  return lower === 'bearer' ? 'Bearer' : lower === 'dpop' ? 'DPoP' : undefined;
}

function valuesOf({ rawHeaders, headers }: RequestHeaders, name: string): readonly string[] {
  if (rawHeaders !== undefined) {
    return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === name);
  }
  const value = headers[name];
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}

function refuse(
  reason: Exclude<PresentedTokenResult, PresentedToken>['reason'],
  scheme?: TokenScheme,
): PresentedTokenResult {
  return { ok: false, reason, scheme };
}
