// What one request to an API carries: RFC 6750 §2.1, §5.3 (only over TLS), RFC 9449 §7.1; another after a 401, or for a nonce.
import { isLoopback } from '@countersign/protocol';
import type { DpopProver } from './dpop.ts';
import { TokenError } from './errors.ts';
import type { AccessToken } from './token-request.ts';

/** A request that is about to be made, as its API will see it. */
export interface AuthorizedRequest {
  /** Default: GET. */
  readonly method?: string | undefined;
  readonly url: string | URL;
}

/** What goes with one request, and what its answer says of it. */
export interface Authorization {
  /** In place of others of these names. `dpop` is good for this one request. */
  readonly headers: { readonly authorization: string; readonly dpop?: string };
  /**
   * To be told of the answer. True when the same request is worth being made once more with a new authorization: its
   * token is not taken any more, or the API wants a nonce that it has just given (RFC 9449 §9).
   */
  again(status: number, headers: Headers): boolean;
}

export interface AuthorizationDeps {
  readonly allowPlainHttp: boolean;
  /** Undefined: bearer tokens. */
  readonly dpop: DpopProver | undefined;
  readonly token: () => Promise<AccessToken>;
  /** Forgets the token; false when a new one would be no better. */
  readonly reject: (accessToken: string) => boolean;
}

/** @throws TokenError */
export async function authorize(
  { method = 'GET', url }: AuthorizedRequest,
  { allowPlainHttp, dpop, token, reject }: AuthorizationDeps,
): Promise<Authorization> {
  const address = new URL(url);
  requireEncryption(address, allowPlainHttp);
  const { accessToken, tokenType } = await token();
  const authorization = `${tokenType} ${accessToken}`;
  const proof = await dpop?.proof({ method, url: address.href, accessToken });
  return {
    headers: proof === undefined ? { authorization } : { authorization, dpop: proof },
    again(status, headers) {
      const learnt = dpop?.learn(address.href, headers) ?? false;
      if (status !== 401) return false;
      // The token may have been cut off or its key withdrawn.
      return (learnt && wantsNonce(headers)) || reject(accessToken);
    },
  };
}

function wantsNonce(headers: Headers): boolean {
  return /\bDPoP\b.*\berror="?use_dpop_nonce\b/i.test(headers.get('www-authenticate') ?? '');
}

function requireEncryption(url: URL, allowPlainHttp: boolean): void {
  if (url.protocol === 'https:') return;
  if (url.protocol === 'http:' && (allowPlainHttp || isLoopback(url.hostname))) return;
  throw new TokenError('insecure_url', `a token is not sent to ${url.origin}: use https, or allowPlainHttp`);
}
