import type { HttpRequest } from './request.ts';
import { jsonResponse, textResponse, type HttpResponse } from './response.ts';
import type { Route } from './route.ts';

export interface OperationDeps {
  /** Names of what must work, and whether it does. */
  readonly checks: () => Promise<Readonly<Record<string, boolean>>>;
  readonly draining: () => boolean;
  readonly metrics: () => { readonly contentType: string; readonly text: string };
  /** Undefined when this caller may read the metrics, else the answer that says why not. */
  readonly refuseMetrics: (request: HttpRequest) => Promise<HttpResponse | undefined>;
}

const NO_STORE = { 'cache-control': 'no-store' };

/** `/healthz`: the process answers. `/readyz`: it may be sent work. `/metrics`: its figures. */
export function operationRoutes(deps: OperationDeps): readonly Route[] {
  const read = { method: 'GET', bodyLimit: 0, errors: 'plain' } as const;
  return [
    { ...read, path: '/healthz', endpoint: async () => textResponse(200, 'ok\n', NO_STORE) },
    {
      ...read,
      path: '/readyz',
      endpoint: async () => {
        const checks = { ...(await deps.checks()), accepting: !deps.draining() };
        const ready = Object.values(checks).every(Boolean);
        return jsonResponse(ready ? 200 : 503, { ready, checks }, NO_STORE);
      },
    },
    {
      ...read,
      path: '/metrics',
      endpoint: async (request) => {
        const refusal = await deps.refuseMetrics(request);
        if (refusal !== undefined) return refusal;
        const { contentType, text } = deps.metrics();
        return { status: 200, headers: { 'content-type': contentType, ...NO_STORE }, body: text };
      },
    },
  ];
}
