// A caller's side of OAuth 2: RFC 6749 §4.4 for the tokens, RFC 6750 §2.1 for using them.
import { authorizedFetch } from './authorized-fetch.ts';
import { TokenError } from './errors.ts';
import { type ClientOptions, readOptions, readTarget, type Target } from './options.ts';
import { withRetries } from './retry.ts';
import { TokenCache } from './token-cache.ts';
import { type AccessToken, TokenRequester } from './token-request.ts';

export interface TokenTarget {
  /** Default: the client's. */
  readonly resource?: string | undefined;
  /** Default: the client's. */
  readonly scope?: string | undefined;
}

export interface Client {
  /**
   * A token that lives for a while yet, from the cache where there is one. `signal` ends this caller's waiting only.
   * @throws TokenError · ClientOptionError when resource or scope are malformed
   */
  token(target?: TokenTarget & { readonly signal?: AbortSignal | undefined }): Promise<AccessToken>;
  /**
   * `fetch` with a token. A 401 is answered with a new token once, unless the body is a stream.
   * @throws TokenError, and what fetch throws
   */
  fetch(url: string | URL, init?: RequestInit, target?: TokenTarget): Promise<Response>;
  /** Gives up what is under way; further calls reject. */
  close(): Promise<void>;
}

/**
 * Makes a client for one identity. Nothing is fetched before the first `token` or `fetch`.
 * @throws ClientOptionError
 */
export function createClient(options: ClientOptions): Client {
  const settings = readOptions(options);
  const stop = new AbortController();
  const requester = new TokenRequester(settings);
  const cache = new TokenCache(settings);
  const retrying = { fraction: settings.fraction, signal: stop.signal };

  function targetOf(target: TokenTarget): Target {
    return readTarget({
      resource: target.resource ?? settings.target.resource,
      scope: target.scope ?? settings.target.scope,
    });
  }

  async function tokenFor(target: Target, signal: AbortSignal | undefined): Promise<AccessToken> {
    if (stop.signal.aborted) throw new TokenError('closed', 'the client was closed');
    const obtain = (): Promise<AccessToken> =>
      withRetries(() => requester.request(target, stop.signal), retrying);
    try {
      return await heeding(cache.get(keyOf(target), obtain), signal);
    } catch (error) {
      throw stop.signal.aborted ? new TokenError('closed', 'the client was closed') : error;
    }
  }

  return {
    token: async (target = {}) => await tokenFor(targetOf(target), target.signal),
    async fetch(url, init, target = {}) {
      const wanted = targetOf(target);
      return await authorizedFetch(url, init, {
        fetch: settings.fetch,
        allowPlainHttp: settings.allowPlainHttp,
        dpop: settings.dpop,
        token: () => tokenFor(wanted, init?.signal ?? undefined),
        reject: (accessToken) => cache.reject(keyOf(wanted), accessToken),
      });
    },
    async close() {
      stop.abort();
    },
  };
}

function keyOf({ resource, scope }: Target): string {
  return JSON.stringify([resource ?? null, scope ?? null]);
}

/** Waits for `work` until the signal says otherwise; the work itself goes on for whoever else waits. */
function heeding<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(new TokenError('aborted', 'the call was given up', { cause: signal.reason as unknown }));
    };
    signal.addEventListener('abort', onAbort);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    if (signal.aborted) onAbort();
  });
}
