// Calling an API with a token, and again where its answer says that this is worth it.
import { type Authorization, type AuthorizedRequest } from './authorization.ts';
import { canBeSentAgain, MOST_SENT } from './send-again.ts';

export interface AuthorizedFetchDeps {
  readonly fetch: typeof globalThis.fetch;
  readonly authorize: (request: AuthorizedRequest) => Promise<Authorization>;
}

/** @throws TokenError, and what the given fetch throws */
export async function authorizedFetch(
  url: string | URL,
  init: RequestInit | undefined,
  { fetch, authorize }: AuthorizedFetchDeps,
): Promise<Response> {
  for (let sent = 1; ; sent++) {
    const authorization = await authorize({ method: init?.method, url });
    const headers = new Headers(init?.headers);
    headers.delete('dpop');
    for (const [name, value] of Object.entries(authorization.headers)) headers.set(name, value);
    const response = await fetch(url, { ...init, headers });
    const again = authorization.again(response.status, response.headers);
    if (!again || sent === MOST_SENT || !canBeSentAgain(init?.body)) return response;
    await response.body?.cancel();
  }
}
