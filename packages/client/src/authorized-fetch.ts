// Calling an API with a token: RFC 6750 §2.1, §5.3 (only over TLS), RFC 9449 §7.1; once more after a 401, and for a nonce.
import { isLoopback } from '@countersign/protocol';
import type { DpopProver } from './dpop.ts';
import { TokenError } from './errors.ts';
import type { AccessToken } from './token-request.ts';

export interface AuthorizedFetchDeps {
  readonly fetch: typeof globalThis.fetch;
  readonly allowPlainHttp: boolean;
  /** Undefined: bearer tokens. */
  readonly dpop: DpopProver | undefined;
  readonly token: () => Promise<AccessToken>;
  /** Forgets the token; false when a new one would be no better. */
  readonly reject: (accessToken: string) => boolean;
}

/** @throws TokenError, and what the given fetch throws */
export async function authorizedFetch(
  url: string | URL,
  init: RequestInit | undefined,
  deps: AuthorizedFetchDeps,
): Promise<Response> {
  requireEncryption(new URL(url), deps.allowPlainHttp);
  const token = await deps.token();
  const response = await send(url, init, token, deps);
  // The token may have been cut off or its key withdrawn; a body that has been streamed away cannot be sent again.
  if (response.status !== 401 || !canBeSentAgain(init?.body) || !deps.reject(token.accessToken))
    return response;
  await response.body?.cancel();
  return send(url, init, await deps.token(), deps);
}

/** Sends it, and once more when the API wants a nonce that it has just given (RFC 9449 §9). */
async function send(
  url: string | URL,
  init: RequestInit | undefined,
  token: AccessToken,
  deps: AuthorizedFetchDeps,
): Promise<Response> {
  const { dpop } = deps;
  const response = await sendOnce(url, init, token, deps);
  if (dpop === undefined || !dpop.learn(String(url), response.headers)) return response;
  if (response.status !== 401 || !wantsNonce(response.headers) || !canBeSentAgain(init?.body))
    return response;
  await response.body?.cancel();
  const again = await sendOnce(url, init, token, deps);
  dpop.learn(String(url), again.headers);
  return again;
}

async function sendOnce(
  url: string | URL,
  init: RequestInit | undefined,
  { accessToken, tokenType }: AccessToken,
  { fetch, dpop }: AuthorizedFetchDeps,
): Promise<Response> {
  const headers = new Headers(init?.headers);
  headers.set('authorization', `${tokenType} ${accessToken}`);
  headers.delete('dpop');
  if (dpop !== undefined) {
    headers.set('dpop', await dpop.proof({ method: init?.method ?? 'GET', url: String(url), accessToken }));
  }
  return fetch(url, { ...init, headers });
}

function wantsNonce(headers: Headers): boolean {
  return /\bDPoP\b.*\berror="?use_dpop_nonce\b/i.test(headers.get('www-authenticate') ?? '');
}

function requireEncryption(url: URL, allowPlainHttp: boolean): void {
  if (url.protocol === 'https:') return;
  if (url.protocol === 'http:' && (allowPlainHttp || isLoopback(url.hostname))) return;
  throw new TokenError('insecure_url', `a token is not sent to ${url.origin}: use https, or allowPlainHttp`);
}

function canBeSentAgain(body: RequestInit['body']): boolean {
  return (
    body === undefined ||
    body === null ||
    typeof body === 'string' ||
    body instanceof URLSearchParams ||
    body instanceof Uint8Array ||
    body instanceof ArrayBuffer
  );
}
