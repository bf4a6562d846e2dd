// Calling an API with a bearer token: RFC 6750 §2.1, §5.3 (only over TLS), and once more after a 401.
import { isLoopback } from '@countersign/protocol';
import { TokenError } from './errors.ts';
import type { AccessToken } from './token-request.ts';

export interface AuthorizedFetchDeps {
  readonly fetch: typeof globalThis.fetch;
  readonly allowPlainHttp: boolean;
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
  const response = await send(url, init, token, deps.fetch);
  // The token may have been cut off or its key withdrawn; a body that has been streamed away cannot be sent again.
  if (response.status !== 401 || !canBeSentAgain(init?.body) || !deps.reject(token.accessToken))
    return response;
  await response.body?.cancel();
  return send(url, init, await deps.token(), deps.fetch);
}

function send(
  url: string | URL,
  init: RequestInit | undefined,
  token: AccessToken,
  fetch: typeof globalThis.fetch,
): Promise<Response> {
  const headers = new Headers(init?.headers);
  headers.set('authorization', `Bearer ${token.accessToken}`);
  return fetch(url, { ...init, headers });
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
