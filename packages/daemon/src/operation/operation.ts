// /healthz, /readyz and /metrics, on a port of their own: no path of an API is taken from it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { announcesContent } from '../http/announced-content.ts';

export interface OperationSources {
  readonly ready: () => boolean;
  /** In the Prometheus text format, version 0.0.4. */
  readonly metrics: () => string;
}

const PLAIN = 'text/plain; charset=utf-8';
const METRICS = 'text/plain; version=0.0.4; charset=utf-8';

export function createOperation({
  ready,
  metrics,
}: OperationSources): (message: IncomingMessage, response: ServerResponse) => void {
  const pages: Readonly<Record<string, () => readonly [status: number, type: string, body: string]>> = {
    '/healthz': () => [200, PLAIN, 'ok\n'],
    '/readyz': () => (ready() ? [200, PLAIN, 'ready\n'] : [503, PLAIN, 'not ready\n']),
    '/metrics': () => [200, METRICS, metrics()],
  };
  return (message, response) => {
    const path = (message.url ?? '').split('?')[0] ?? '';
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    const [status, type, body] = page?.() ?? [404, PLAIN, 'not found\n'];
    if (announcesContent(message)) response.shouldKeepAlive = false;
    response.writeHead(status, {
      'Content-Type': type,
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-store',
    });
    response.end(message.method === 'HEAD' ? undefined : body);
  };
}
