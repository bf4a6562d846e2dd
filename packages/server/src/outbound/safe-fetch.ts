// Fetching a small JSON document from a URL that somebody gave: RFC 9110; what a URL may not reach is in address.ts.
import { lookup } from 'node:dns/promises';
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps, type RequestOptions } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { isAllowedAddress, isLoopback, isPublicAddress, type OutboundAllow } from './address.ts';
import { type OutboundReason, OutboundRefusal } from './outbound-refusal.ts';
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

/** What may be reached. */
export interface Reach {
  readonly allow: OutboundAllow;
  /** http to loopback addresses that are allowed: for `dev` and tests on one machine. */
  readonly plainLoopback: boolean;
}

export interface SafeFetchDeps extends Reach {
  /** Every address of a name; the default is the platform's, with its hosts file and search domains. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
  readonly waitMs?: number;
  readonly timeoutMs?: number;
  readonly idleMs?: number;
}

export interface SafeFetchOptions {
  /** PEM certificates that are trusted in place of the platform's. */
  readonly ca?: string | undefined;
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
    const giveBack = await turns.take(target.host);
    const deadline = createDeadline(timeoutMs, target.host);
    try {
      const addresses = await deadline.before(resolved(resolve, target.host));
      requireReachable(deps, target, addresses);
      return await deadline.before(
        exchange(target, addresses, options, deps.idleMs ?? FETCH_IDLE_MS, deadline.signal),
      );
    } finally {
      deadline.end();
      giveBack();
    }
  };
}

/**
 * Why nothing would ever be fetched from a URL: it is none, or an address that may not be reached. What a name may reach is
 * known only when it is resolved.
 */
export function urlFault(reach: Reach, text: string): OutboundReason | undefined {
  try {
    const target = readTarget(text);
    if (isIP(target.host) !== 0) requireReachable(reach, target, [target.host]);
    return undefined;
  } catch (error) {
    if (error instanceof OutboundRefusal) return error.reason;
    throw error;
  }
}

interface Target {
  readonly url: URL;
  /** Lower case, without brackets or trailing dot. */
  readonly host: string;
}

function readTarget(text: string): Target {
  if (text.length > 2048 || !URL.canParse(text)) throw new OutboundRefusal('url_malformed', '?');
  const url = new URL(text);
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new OutboundRefusal('scheme_not_allowed', host);
  if (host === '' || url.username !== '' || url.password !== '' || text.includes('#')) {
    throw new OutboundRefusal('url_malformed', host);
  }
  return { url, host };
}

/** The parser of URLs has turned every spelling of an address (decimal, hex, octal, short) into the plain one. */
async function resolved(
  resolve: (host: string) => Promise<readonly string[]>,
  host: string,
): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  let addresses: readonly string[];
  try {
    addresses = await resolve(host);
  } catch (error) {
    throw new OutboundRefusal('name_not_resolved', host, error);
  }
  if (addresses.length === 0) throw new OutboundRefusal('name_not_resolved', host);
  return addresses;
}

async function resolveAll(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

/** Every address has to pass: a name that has one good and one bad address is a trick or a mistake. */
function requireReachable(deps: Reach, { url, host }: Target, addresses: readonly string[]): void {
  for (const address of addresses) {
    const allowed = isAllowedAddress(deps.allow, host, address);
    if (!allowed && !isPublicAddress(address)) throw new OutboundRefusal('address_not_allowed', host);
    if (url.protocol === 'http:' && !(allowed && deps.plainLoopback && isLoopback(address))) {
      throw new OutboundRefusal('scheme_not_allowed', host);
    }
    if (!allowed && url.port !== '') throw new OutboundRefusal('port_not_allowed', host);
  }
}

/** The connection goes to the addresses that were checked; the name is not resolved a second time. */
function pinned(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  const [first = { address: '', family: 0 }] = all;
  return (_host, options, callback) => {
    if (options.all === true) callback(null, all);
    else callback(null, first.address, first.family);
  };
}

function exchange(
  { url, host }: Target,
  addresses: readonly string[],
  { ca, accept }: SafeFetchOptions,
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

const CERTIFICATE_FAILURE =
  /^(?:CERT_|ERR_TLS_CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)|INVALID_CA|HOSTNAME_MISMATCH|PATH_LENGTH|INVALID_PURPOSE)/;

function failureOf(error: Error & { readonly code?: string }): OutboundReason {
  if (error.name === 'AbortError') return 'timed_out';
  return CERTIFICATE_FAILURE.test(error.code ?? '') ? 'certificate_not_trusted' : 'connection_failed';
}

interface Deadline {
  readonly signal: AbortSignal;
  /** What `work` comes to, unless the time is over first; resolution cannot be called off, only no longer waited for. */
  before<T>(work: Promise<T>): Promise<T>;
  end(): void;
}

function createDeadline(timeoutMs: number, host: string): Deadline {
  const controller = new AbortController();
  let expire: (reason: OutboundRefusal) => void = () => undefined;
  const expired = new Promise<never>((_, reject) => (expire = reject));
  expired.catch(() => undefined);
  const timer = setTimeout(() => {
    expire(new OutboundRefusal('timed_out', host));
    controller.abort();
  }, timeoutMs);
  return {
    signal: controller.signal,
    before(work) {
      work.catch(() => undefined);
      return Promise.race([work, expired]);
    },
    end: () => clearTimeout(timer),
  };
}
