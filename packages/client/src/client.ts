// A caller's side of OAuth 2: RFC 6749 §4.4 for the tokens, RFC 6750 §2.1 for using them.
import { createHash } from 'node:crypto';
import { type Authorization, type AuthorizedRequest, authorize } from './authorization.ts';
import { authorizedFetch } from './authorized-fetch.ts';
import { ClientOptionError, TokenError } from './errors.ts';
import type { ClientOptions } from './options.ts';
import type { RotatedKey } from './rotation/key-rotation.ts';
import { readOptions, readTarget, type Target } from './settings.ts';
import { withRetries } from './retry.ts';
import { TokenCache } from './token-cache.ts';
import { type AccessToken, type DerivationKey, type Introspection, TokenRequester } from './token-request.ts';

export interface TokenTarget {
  /** Default: the client's. */
  readonly resource?: string | undefined;
  /** Default: the client's. */
  readonly scope?: string | undefined;
  /**
   * In whose name: the token that a request to this API came with, exchanged for one that names its subject and this client
   * as who acts (RFC 8693). Default: the client's own.
   */
  readonly subjectToken?: string | undefined;
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
  /**
   * What a request carries that is made by other means than `fetch`, and what its answer means: `transports/` has it for axios,
   * undici and gRPC. Ask anew for each request.
   * @throws TokenError
   */
  authorize(request: AuthorizedRequest, target?: TokenTarget): Promise<Authorization>;
  /**
   * What the authority knows of a token now (RFC 7662): its claims when it is active, and when this client may ask about it.
   * Nothing is kept.
   * @throws TokenError · ClientOptionError where the client only has a subject token
   */
  introspect(token: string, hint?: string): Promise<Introspection>;
  /**
   * The keys from which those of a resource server's clients are derived (RFC 9202 §3.3.1): for a client with access to the
   * scope `tokens:derive` of that resource server. Nothing is kept.
   * @throws TokenError · ClientOptionError where the client only has a subject token
   */
  derivationKeys(resource: string): Promise<readonly DerivationKey[]>;
  /**
   * Replaces the client's own key now, where `rotate` was given; by itself it does so when the key is old enough. The next request
   * uses the new one.
   * @throws TokenError · what the store throws · ClientOptionError without `rotate`
   */
  rotateKey(): Promise<RotatedKey>;
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
  const own = new TokenCache(settings);
  // Apart, so that the tokens of many callers do not crowd out the client's own.
  const exchanged = new TokenCache(settings);
  const cacheFor = ({ subjectToken }: Target): TokenCache => (subjectToken === undefined ? own : exchanged);
  const retrying = { fraction: settings.fraction, signal: stop.signal };

  // RFC 8693 and RFC 7662 want a client that proves itself.
  function requireProof(what: string): void {
    if (settings.subjectToken === undefined) return;
    throw new ClientOptionError('bad_option', 'subjectToken', `a client with one cannot ${what}: give a key`);
  }

  function targetOf(target: TokenTarget): Target {
    if (target.subjectToken !== undefined) requireProof('exchange tokens');
    return readTarget({
      resource: target.resource ?? settings.target.resource,
      scope: target.scope ?? settings.target.scope,
      subjectToken: target.subjectToken,
    });
  }

  async function tokenFor(target: Target, signal: AbortSignal | undefined): Promise<AccessToken> {
    if (stop.signal.aborted) throw new TokenError('closed', 'the client was closed');
    const obtain = (): Promise<AccessToken> =>
      withRetries(() => requester.request(target, stop.signal), retrying);
    try {
      return await heeding(cacheFor(target).get(keyOf(target), obtain), signal);
    } catch (error) {
      throw stop.signal.aborted ? new TokenError('closed', 'the client was closed') : error;
    }
  }

  const authorizeFor = (
    request: AuthorizedRequest,
    wanted: Target,
    signal: AbortSignal | undefined,
  ): Promise<Authorization> =>
    authorize(request, {
      allowPlainHttp: settings.allowPlainHttp,
      dpop: settings.dpop,
      token: () => tokenFor(wanted, signal),
      reject: (accessToken) => cacheFor(wanted).reject(keyOf(wanted), accessToken),
    });

  return {
    token: async (target = {}) => await tokenFor(targetOf(target), target.signal),
    authorize: async (request, target = {}) => await authorizeFor(request, targetOf(target), undefined),
    async fetch(url, init, target = {}) {
      const wanted = targetOf(target);
      return await authorizedFetch(url, init, {
        fetch: settings.fetch,
        authorize: (request) => authorizeFor(request, wanted, init?.signal ?? undefined),
      });
    },
    async introspect(token, hint) {
      if (stop.signal.aborted) throw new TokenError('closed', 'the client was closed');
      requireProof('introspect');
      return await withRetries(() => requester.introspect(token, hint, stop.signal), retrying);
    },
    async derivationKeys(resource) {
      if (stop.signal.aborted) throw new TokenError('closed', 'the client was closed');
      requireProof('ask for keys');
      return await withRetries(() => requester.derivationKeys(resource, stop.signal), retrying);
    },
    async rotateKey() {
      if (stop.signal.aborted) throw new TokenError('closed', 'the client was closed');
      const { rotation } = settings;
      if (rotation === undefined) {
        throw new ClientOptionError(
          'bad_option',
          'rotate',
          'give it to createClient: it says where keys are kept',
        );
      }
      return await requester.rotate(rotation, stop.signal);
    },
    async close() {
      stop.abort();
    },
  };
}

function keyOf({ resource, scope, subjectToken }: Target): string {
  // A digest, so that no token of others lies in memory for longer than its request.
  const subject =
    subjectToken === undefined ? null : createHash('sha256').update(subjectToken).digest('base64url');
  return JSON.stringify([resource ?? null, scope ?? null, subject]);
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
