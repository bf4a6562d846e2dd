// Fetching a small document from an authority: RFC 9110, with bounds on time and size and without redirects.
import { networkCause } from './network-cause.ts';

export type FetchFailureCode =
  | 'timeout'
  | 'aborted'
  | 'network'
  | 'untrusted_certificate'
  | 'bad_certificate'
  | 'too_large';

/** The exchange did not end in a response of bearable size. `cause` is the platform's error, whose root the message names. */
export class FetchFailure extends Error {
  readonly code: FetchFailureCode;

  constructor(code: FetchFailureCode, url: string, cause?: unknown) {
    const root = networkCause(cause)?.code;
    super(
      `${MESSAGES[code]}: ${withoutQuery(url)}${root === undefined ? '' : ` (${root})`}`,
      cause === undefined ? undefined : { cause },
    );
    this.name = 'FetchFailure';
    this.code = code;
  }
}

const MESSAGES: { readonly [code in FetchFailureCode]: string } = {
  timeout: 'no answer in time',
  aborted: 'the call was given up',
  network: 'no connection',
  untrusted_certificate: 'the certificate is not trusted: pass fetch: fetchTrusting(ca)',
  bad_certificate: 'the certificate is for another name or another time',
  too_large: 'the answer is too large',
};

/** Whether waiting and trying again cannot help: somebody has to change something first. */
export function isCertificateFailure(error: unknown): boolean {
  return (
    error instanceof FetchFailure &&
    (error.code === 'untrusted_certificate' || error.code === 'bad_certificate')
  );
}

export interface BoundedFetchOptions {
  readonly fetch: typeof globalThis.fetch;
  /** For everything, the body included. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
  readonly method?: 'GET' | 'POST';
  readonly headers?: { readonly [name: string]: string };
  readonly body?: string;
}

export interface BoundedResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** What a `fetch` may bring beside itself under this name, for `fetchBounded` to use in its place. */
export const WHOLE_EXCHANGE: unique symbol = Symbol('whole exchange');

/**
 * The same within the same bounds, over https, without the objects of the Fetch standard: they cost more than the exchange.
 * Rejects with FetchFailure or with what the platform says.
 */
export type WholeExchange = (
  url: string,
  options: Omit<BoundedFetchOptions, 'fetch'>,
) => Promise<BoundedResponse>;

export function wholeExchangeOf(fetch: typeof globalThis.fetch): WholeExchange | undefined {
  return (fetch as { [WHOLE_EXCHANGE]?: WholeExchange })[WHOLE_EXCHANGE];
}

/** @throws FetchFailure */
export async function fetchBounded(url: string, options: BoundedFetchOptions): Promise<BoundedResponse> {
  const exchange = url.startsWith('https:') ? wholeExchangeOf(options.fetch) : undefined;
  if (exchange === undefined) return await throughFetch(url, options);
  try {
    return await exchange(url, options);
  } catch (error) {
    if (error instanceof FetchFailure) throw error;
    throw new FetchFailure(networkCause(error)?.fault ?? 'network', url, error);
  }
}

async function throughFetch(url: string, options: BoundedFetchOptions): Promise<BoundedResponse> {
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
  try {
    signal.throwIfAborted();
    const response = await options.fetch(url, {
      method: options.method ?? 'GET',
      headers: { ...options.headers },
      redirect: 'error',
      signal,
      ...(options.body === undefined ? undefined : { body: options.body }),
    });
    return {
      status: response.status,
      headers: response.headers,
      body: await readBounded(response, options.maxBytes, url),
    };
  } catch (error) {
    if (error instanceof FetchFailure) throw error;
    if (options.signal?.aborted) throw new FetchFailure('aborted', url, error);
    if (timeout.aborted) throw new FetchFailure('timeout', url, error);
    throw new FetchFailure(networkCause(error)?.fault ?? 'network', url, error);
  }
}

async function readBounded(response: Response, maxBytes: number, url: string): Promise<Uint8Array> {
  if (response.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop by throwing cancels the stream.
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > maxBytes) throw new FetchFailure('too_large', url);
    chunks.push(chunk);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** A query may hold what does not belong into an error message. */
function withoutQuery(url: string): string {
  const end = url.search(/[?#]/);
  return end === -1 ? url : url.slice(0, end);
}
