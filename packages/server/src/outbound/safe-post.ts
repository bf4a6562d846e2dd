// Sending something to a URL that somebody gave: RFC 9110; what a URL may not reach is in address.ts.
import { type ClientRequest, request as requestHttp } from 'node:http';
import { request as requestHttps, type RequestOptions } from 'node:https';
import { createDeadline } from './deadline.ts';
import { type OutboundReason, OutboundRefusal } from './outbound-refusal.ts';
import {
  failureOf,
  pinned,
  type Reach,
  reachableAddresses,
  readTarget,
  type Resolve,
  resolveAll,
  type Target,
} from './target.ts';
import { createTurns } from './turns.ts';

/** For everything once it is its turn, resolution included: Standard Webhooks asks for 15 to 30 seconds. */
export const POST_TIMEOUT_MS = 15_000;
/** At once, in this process. */
export const POST_MAX_CONCURRENT = 32;
/** Of them to one host. */
export const POST_MAX_TO_ONE_HOST = 4;
const POST_WAIT_MS = 2000;
const POST_MAX_WAITING = 1000;

export interface SafePostDeps extends Reach {
  readonly resolve?: Resolve;
  readonly timeoutMs?: number;
}

export interface PostOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** Aborted: nobody waits for it any more. */
  readonly signal?: AbortSignal | undefined;
}

/** The status of the answer, of which nothing else is read; or why there was none. */
export type PostResult =
  | { readonly ok: true; readonly status: number }
  | { readonly ok: false; readonly reason: OutboundReason };

/** Follows no redirect, uses no proxy. */
export type SafePost = (url: string, body: string, options: PostOptions) => Promise<PostResult>;

export function createSafePost(deps: SafePostDeps): SafePost {
  const { resolve = resolveAll, timeoutMs = POST_TIMEOUT_MS } = deps;
  const turns = createTurns({
    atOnce: POST_MAX_CONCURRENT,
    atOnceToOneHost: POST_MAX_TO_ONE_HOST,
    waiting: POST_MAX_WAITING,
    waitMs: POST_WAIT_MS,
  });

  async function post(text: string, body: string, { headers, signal }: PostOptions): Promise<number> {
    const target = readTarget(text);
    const giveBack = await turns.take(target.host);
    const deadline = createDeadline(timeoutMs, target.host, signal);
    try {
      const addresses = await deadline.before(reachableAddresses(deps, target, resolve));
      return await deadline.before(exchange(target, addresses, body, headers, deadline.signal));
    } finally {
      deadline.end();
      giveBack();
    }
  }

  return async (...sent) => {
    try {
      return { ok: true, status: await post(...sent) };
    } catch (error) {
      if (error instanceof OutboundRefusal) return { ok: false, reason: error.reason };
      throw error;
    }
  };
}

function exchange(
  { url, host }: Target,
  addresses: readonly string[],
  body: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<number> {
  return new Promise((done, fail) => {
    const options: RequestOptions = {
      method: 'POST',
      headers: { ...headers, 'content-length': Buffer.byteLength(body), 'user-agent': 'countersign' },
      // A connection of its own: no pool, and no proxy of the platform's.
      agent: false,
      lookup: pinned(addresses),
      signal,
      maxHeaderSize: 16_384,
    };
    const request: ClientRequest =
      url.protocol === 'http:' ? requestHttp(url, options) : requestHttps(url, options);
    const refuse = (reason: OutboundReason, cause?: unknown): void => {
      fail(new OutboundRefusal(reason, host, cause));
      request.destroy();
    };
    request.on('error', (error) => refuse(failureOf(error), error));
    request.on('response', (response) => {
      const { statusCode = 0 } = response;
      if (statusCode >= 300 && statusCode < 400) refuse('redirected');
      else done(statusCode);
      // However long the answer is: its first line has said it.
      response.on('error', () => undefined);
      request.destroy();
    });
    request.end(body);
  });
}
