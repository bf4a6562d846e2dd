// A fetch for authorities with a certificate authority of their own: the subset of RFC 9110 that tokens need, over TLS
// checked as RFC 9525 says. The only file here that does I/O, which is why it has an entry point of its own.
import { Agent, request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';

/**
 * A `fetch` whose https connections trust the certificates in `ca` (PEM, one or more) and no others. Redirects are
 * never followed: they are answered as they are with `redirect: 'manual'` and are an error otherwise. Request bodies
 * are sent whole, response bodies are streamed. Plain http goes through the global fetch.
 */
export function fetchTrusting(ca: string): typeof globalThis.fetch {
  if (!ca.includes('-----BEGIN CERTIFICATE-----')) {
    throw new TypeError('fetchTrusting needs the text of a PEM certificate, not its file name');
  }
  const agent = new Agent({ ca, keepAlive: true });
  return async (input, init) => {
    const request = new Request(input, init);
    if (!request.url.startsWith('https:')) return globalThis.fetch(request);
    const body = request.body === null ? undefined : Buffer.from(await request.arrayBuffer());
    return send(agent, request, body);
  };
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
      const headers = new Headers();
      for (let i = 0; i + 1 < incoming.rawHeaders.length; i += 2) {
        headers.append(incoming.rawHeaders[i] as string, incoming.rawHeaders[i + 1] as string);
      }
      // The Fetch standard: these have no body, and Response refuses to be given one.
      const empty = status === 204 || status === 205 || status === 304;
      if (empty) incoming.resume();
      resolve(
        new Response(empty ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array>), {
          status,
          statusText: incoming.statusMessage ?? '',
          headers,
        }),
      );
    });
    outgoing.end(body);
  });
}
