// A fetch for authorities with a certificate authority of their own: the subset of RFC 9110 that tokens need, over TLS
// checked as RFC 9525 says. It does I/O, which is why it has an entry point of its own.
import { Agent, request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { createSecureContext } from 'node:tls';
import { WHOLE_EXCHANGE } from './bounded-fetch.ts';
import { exchangeThrough, headersOf } from './whole-exchange.ts';

/**
 * A `fetch` whose https connections trust the certificates in `ca` (PEM, one or more) and no others. Redirects are
 * never followed: they are answered as they are with `redirect: 'manual'` and are an error otherwise. Request bodies
 * are sent whole, response bodies are streamed. Plain http goes through the global fetch.
 */
export function fetchTrusting(ca: string): typeof globalThis.fetch {
  if (!ca.includes('-----BEGIN CERTIFICATE-----')) {
    throw new TypeError('fetchTrusting needs the text of a PEM certificate, not its file name');
  }
  return fetchThrough(new Agent({ ca, keepAlive: true }));
}

/** What a client shows of itself, all PEM. */
export interface ShownCertificate {
  /** The certificate, and behind it what signed it, as far as the other side needs that. */
  readonly cert: string;
  readonly key: string;
  /** Whom to trust, as with `fetchTrusting`. Default: whom the platform trusts. */
  readonly ca?: string | undefined;
}

/**
 * A `fetch` like that of `fetchTrusting`, which shows a certificate to every https server that asks for one.
 * Throws `TypeError` when certificate and key cannot be used together; its message repeats neither.
 */
export function fetchShowing({ cert, key, ca }: ShownCertificate): typeof globalThis.fetch {
  const identity = { cert, key, ...(ca === undefined ? {} : { ca }) };
  if (!isUsable(identity)) {
    throw new TypeError('fetchShowing needs the text of a PEM certificate and of its private key');
  }
  return fetchThrough(new Agent({ ...identity, keepAlive: true }));
}

function isUsable(identity: ShownCertificate): boolean {
  // What is empty is taken for absent below.
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(identity.key)) return false;
  if (!identity.cert.includes('-----BEGIN CERTIFICATE-----')) return false;
  try {
    createSecureContext(identity);
    return true;
  } catch {
    return false;
  }
}

function fetchThrough(agent: Agent): typeof globalThis.fetch {
  const throughAgent: typeof globalThis.fetch = async (input, init) => {
    // Asked first: a request made twice costs as much as sending it.
    if (!isHttps(input)) return await globalThis.fetch(input, init);
    const request = new Request(input, init);
    const body = request.body === null ? undefined : Buffer.from(await request.arrayBuffer());
    return send(agent, request, body);
  };
  return Object.assign(throughAgent, { [WHOLE_EXCHANGE]: exchangeThrough(agent) });
}

function isHttps(input: Parameters<typeof globalThis.fetch>[0]): boolean {
  return new URL(input instanceof Request ? input.url : input).protocol === 'https:';
}

function send(agent: Agent, request: Request, body: Buffer | undefined): Promise<Response> {
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(request.url, {
      agent,
      method: request.method,
      headers: Object.fromEntries(request.headers),
      signal: request.signal,
    });
    outgoing.on('error', (cause) => {
      const reason: unknown = request.signal.reason;
      reject(reason instanceof Error ? reason : new TypeError('fetch failed', { cause }));
    });
    outgoing.on('response', (incoming) => {
      const status = incoming.statusCode ?? 0;
      if (status >= 300 && status < 400 && status !== 304 && request.redirect !== 'manual') {
        incoming.destroy();
        reject(
          new TypeError('fetch failed', {
            cause: new Error('a redirect was answered, and none is followed'),
          }),
        );
        return;
      }
      // The Fetch standard: these have no body, and Response refuses to be given one.
      const empty = status === 204 || status === 205 || status === 304;
      if (empty) incoming.resume();
      resolve(
        new Response(empty ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array>), {
          status,
          statusText: incoming.statusMessage ?? '',
          headers: headersOf(incoming.rawHeaders),
        }),
      );
    });
    outgoing.end(body);
  });
}
