// One exchange over TLS, from the request to the last byte of a small answer: RFC 9110, checked as RFC 9525 says.
import { type Agent, request as httpsRequest } from 'node:https';
import { FetchFailure, type WholeExchange } from './bounded-fetch.ts';

/** Redirects are an error, as they are for `fetchBounded` through any `fetch`. */
export function exchangeThrough(agent: Agent): WholeExchange {
  return (url, { method = 'GET', headers = {}, body, timeoutMs, maxBytes, signal }) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) throw new FetchFailure('aborted', url, signal.reason);
      const outgoing = httpsRequest(url, { agent, method, headers });
      const fail = (error: unknown): void => {
        settle();
        reject(error instanceof Error ? error : new Error('the exchange failed', { cause: error }));
        outgoing.destroy();
      };
      const onAbort = (): void => fail(new FetchFailure('aborted', url, signal?.reason));
      const timer = setTimeout(() => fail(new FetchFailure('timeout', url)), timeoutMs);
      // Who waits for nothing else is not kept waiting by it.
      timer.unref();
      const settle = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      signal?.addEventListener('abort', onAbort);
      outgoing.on('error', fail);
      outgoing.on('response', (incoming) => {
        const status = incoming.statusCode ?? 0;
        if (status >= 300 && status < 400 && status !== 304) {
          fail(new Error('a redirect was answered, and none is followed'));
          return;
        }
        const chunks: Uint8Array[] = [];
        let length = 0;
        incoming.on('error', fail);
        incoming.on('data', (chunk: Uint8Array) => {
          length += chunk.length;
          if (length > maxBytes) fail(new FetchFailure('too_large', url));
          else chunks.push(chunk);
        });
        incoming.on('end', () => {
          settle();
          try {
            resolve({ status, headers: headersOf(incoming.rawHeaders), body: Buffer.concat(chunks) });
          } catch (error) {
            fail(error);
          }
        });
      });
      outgoing.end(body);
    });
}

/** @param raw names and values in turn */
export function headersOf(raw: readonly string[]): Headers {
  const headers = new Headers();
  for (let at = 0; at + 1 < raw.length; at += 2) headers.append(raw[at] as string, raw[at + 1] as string);
  return headers;
}
