// Fetching a small JSON document from a URL that somebody gave: RFC 9110; what a URL may not reach is in address.ts.
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
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

/** For everything once it is its turn, resolution and body included. */
export const FETCH_TIMEOUT_MS = 5000;
/** Without a byte, once connecting has begun. */
export const FETCH_IDLE_MS = 2000;
export const FETCH_MAX_BYTES: number = 256 * 1024;
/** At once, in this process. */
export const FETCH_MAX_CONCURRENT = 16;
/** Of them to one host. */
export const FETCH_MAX_TO_ONE_HOST = 4;
/** What more there is waits so long for a turn, and as many: after a start every client comes at once. */
export const FETCH_WAIT_MS = 2000;
export const FETCH_MAX_WAITING = 1000;

export interface SafeFetchDeps extends Reach {
  readonly resolve?: Resolve;
  readonly waitMs?: number;
  readonly timeoutMs?: number;
  readonly idleMs?: number;
}

export interface SafeFetchOptions {
  /** PEM certificates that are trusted in place of the platform's. */
  readonly ca?: string | undefined;
  /** Whether the certificate (DER) is the server's, in place of the URL's host being named in it. It needs `ca`. */
  readonly isServer?: ((certificate: Uint8Array) => boolean) | undefined;
  /** Media types that are taken, lower case. */
  readonly accept: readonly string[];
}

/** The body of a 200 answer. Follows no redirect, uses no proxy, sends no credential. @throws OutboundRefusal */
export type SafeFetch = (url: string, options: SafeFetchOptions) => Promise<Uint8Array>;

export function createSafeFetch(deps: SafeFetchDeps): SafeFetch {
  const { resolve = resolveAll, timeoutMs = FETCH_TIMEOUT_MS, waitMs = FETCH_WAIT_MS } = deps;
  const turns = createTurns({
    atOnce: FETCH_MAX_CONCURRENT,
    atOnceToOneHost: FETCH_MAX_TO_ONE_HOST,
    waiting: FETCH_MAX_WAITING,
    waitMs,
  });
  return async (text, options) => {
    const target = readTarget(text);
    // Nobody proves who they are there.
    if (options.isServer !== undefined && target.url.protocol !== 'https:') {
      throw new OutboundRefusal('scheme_not_allowed', target.host);
    }
    const giveBack = await turns.take(target.host);
    const deadline = createDeadline(timeoutMs, target.host);
    try {
      const addresses = await deadline.before(reachableAddresses(deps, target, resolve));
      return await deadline.before(
        exchange(target, addresses, options, deps.idleMs ?? FETCH_IDLE_MS, deadline.signal),
      );
    } finally {
      deadline.end();
      giveBack();
    }
  };
}

function exchange(
  { url, host }: Target,
  addresses: readonly string[],
  { ca, isServer, accept }: SafeFetchOptions,
  idleMs: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  return new Promise((done, fail) => {
    const options: RequestOptions = {
      method: 'GET',
      headers: { accept: accept.join(', '), 'accept-encoding': 'identity', 'user-agent': 'countersign' },
      // A connection of its own: no pool, and no proxy of the platform's.
      agent: false,
      lookup: pinned(addresses),
      timeout: idleMs,
      signal,
      maxHeaderSize: 16_384,
      ...(ca === undefined ? undefined : { ca }),
      ...(isServer === undefined
        ? undefined
        : { checkServerIdentity: (_, { raw }) => faultOf(isServer(raw)) }),
    };
    const request: ClientRequest =
      url.protocol === 'http:' ? requestHttp(url, options) : requestHttps(url, options);
    const refuse = (reason: OutboundReason, cause?: unknown): void => {
      fail(new OutboundRefusal(reason, host, cause));
      request.destroy();
    };
    request.on('timeout', () => refuse('timed_out'));
    request.on('error', (error) => refuse(failureOf(error), error));
    request.on('response', (response) => {
      const fault = answerFault(response, accept);
      if (fault !== undefined) refuse(fault);
      else collect(response, done, refuse);
    });
    request.end();
  });
}

function faultOf(isServer: boolean): Error | undefined {
  if (isServer) return undefined;
  return Object.assign(new Error('another server'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
}

function collect(
  response: IncomingMessage,
  done: (body: Uint8Array) => void,
  refuse: (reason: OutboundReason, cause?: unknown) => void,
): void {
  const chunks: Buffer[] = [];
  let length = 0;
  response.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > FETCH_MAX_BYTES) refuse('too_large');
    else chunks.push(chunk);
  });
  response.on('error', (error) => refuse(failureOf(error), error));
  response.on('end', () => {
    if (response.complete) done(Buffer.concat(chunks, length));
    else refuse('connection_failed');
  });
}

function answerFault(
  { statusCode = 0, headers }: IncomingMessage,
  accept: readonly string[],
): OutboundReason | undefined {
  if (statusCode >= 300 && statusCode < 400) return 'redirected';
  if (statusCode !== 200) return 'status_not_ok';
  // What is small when it travels need not be small when it is unpacked.
  if ((headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') return 'encoded';
  const [type = ''] = (headers['content-type'] ?? '').split(';');
  if (!accept.includes(type.trim().toLowerCase())) return 'wrong_content_type';
  return Number(headers['content-length'] ?? 0) > FETCH_MAX_BYTES ? 'too_large' : undefined;
}
