// The servers behind the reverse proxy: one pool of connections each.
import { Agent as HttpAgent, type ClientRequest, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { Limits, UpstreamConfig } from '../config/config.ts';

export interface Upstream {
  /** Opens a request; nothing is sent before its end or its first write. `headers`: names and values in turn. */
  open(method: string, path: string, headers: readonly string[]): ClientRequest;
  close(): void;
}

const IDLE_CONNECTIONS = 64;
/** Bytes of an upstream's headers. */
const ANSWER_HEADER_BYTES = 65_536;

/** @throws ConfigFault where the file of `ca` cannot be read */
export function openUpstream({ url, ca }: UpstreamConfig, limits: Limits): Upstream {
  const secure = url.protocol === 'https:';
  const pool = { keepAlive: true, maxSockets: limits.inFlight, maxFreeSockets: IDLE_CONNECTIONS };
  const agent = secure
    ? new HttpsAgent({ ...pool, ...(ca !== undefined && { ca: ca.text() }) })
    : new HttpAgent(pool);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port);
  return {
    open(method, path, headers) {
      const request = (secure ? requestHttps : requestHttp)({
        agent,
        host,
        port,
        method,
        path,
        headers: headers as unknown as Record<string, string>,
        setHost: false,
        maxHeaderSize: ANSWER_HEADER_BYTES,
        ...(secure && { servername: host }),
      });
      // All of them, or it is an error: Node drops those beyond its count without a word.
      request.maxHeadersCount = 0;
      within(request, limits);
      return request;
    },
    close: () => agent.destroy(),
  };
}

/** An upstream that does not take the connection, or falls silent. */
export class UpstreamTimeout extends Error {}

function within(request: ClientRequest, { connectTimeout, upstreamTimeout }: Limits): void {
  request.setTimeout(upstreamTimeout * 1000, () => request.destroy(new UpstreamTimeout('silent')));
  request.once('socket', (socket) => {
    if (!socket.connecting) return;
    const late = setTimeout(() => request.destroy(new UpstreamTimeout('connecting')), connectTimeout * 1000);
    const done = (): void => clearTimeout(late);
    socket.once('connect', done).once('close', done);
  });
}
