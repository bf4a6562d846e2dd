// A framework on a real socket: header lines are sent as given, one name as often as one likes.
import { createServer, type RequestListener, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AUDIENCE } from '../tiny-issuer.ts';
import type { Ask, Reply, Served } from './requests.ts';

export const PATH = '/cases';
/** So that what is too long for a token still reaches the framework. */
export const SERVER_OPTIONS = { maxHeaderSize: 65_536 };

export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export async function serve(
  listener: RequestListener,
): Promise<{ readonly base: string; readonly server: Server; close(): void }> {
  const server = createServer(SERVER_OPTIONS, listener);
  const base = await listen(server);
  return {
    base,
    server,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** `path`: where the guarded resource is below `base`, and below the audience as its callers see it. */
export function overHttp(base: string, path: string = PATH): Served {
  return {
    path,
    target: { method: 'GET', url: `${AUDIENCE}${path}` },
    ask: ({ headers, method = 'GET', path: at = path }) => send(`${base}${at}`, method, headers),
  };
}

function send(url: string, method: string, headers: Ask['headers']): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const lines = [['Host', 'x'] as const, ...headers].flat();
    const outgoing = httpRequest(url, { method, headers: lines }, async (response) => {
      let body = '';
      for await (const chunk of response) body += String(chunk);
      const nonce = response.headers['dpop-nonce'];
      const read = body.startsWith('{') ? (JSON.parse(body) as { error?: string; caller?: string }) : {};
      resolve({
        status: response.statusCode ?? 0,
        challenge: response.headers['www-authenticate'],
        nonce: typeof nonce === 'string' ? nonce : undefined,
        type: response.headers['content-type'],
        error: read.error,
        caller: read.caller,
        body,
      });
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}
