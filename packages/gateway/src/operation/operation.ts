// /healthz, /readyz and /metrics, on a port of their own: no path of an API is taken from it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { METRICS_CONTENT_TYPE, type MetricSources, renderMetrics } from '../telemetry/metrics.ts';

const PLAIN = 'text/plain; charset=utf-8';

export function createOperation(
  sources: MetricSources,
): (message: IncomingMessage, response: ServerResponse) => void {
  const pages: Readonly<Record<string, () => readonly [status: number, type: string, body: string]>> = {
    '/healthz': () => [200, PLAIN, 'ok\n'],
    '/readyz': () => (sources.ready() ? [200, PLAIN, 'ready\n'] : [503, PLAIN, 'not ready\n']),
    '/metrics': () => [200, METRICS_CONTENT_TYPE, renderMetrics(sources)],
  };
  return (message, response) => {
    const path = (message.url ?? '').split('?')[0] ?? '';
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    const [status, type, body] = page?.() ?? [404, PLAIN, 'not found\n'];
    if (!message.complete) response.shouldKeepAlive = false;
    response.writeHead(status, {
      'Content-Type': type,
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-store',
    });
    response.end(message.method === 'HEAD' ? undefined : body);
  };
}
