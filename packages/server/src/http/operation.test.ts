import { beforeEach, describe, expect, it } from 'vitest';
import { operationRoutes } from './operation.ts';
import type { HttpRequest } from './request.ts';
import { type HttpResponse, textResponse } from './response.ts';

let checks: Record<string, boolean>;
let draining: boolean;
let refusal: HttpResponse | undefined;
beforeEach(() => {
  checks = { database: true, audit_log: true };
  draining = false;
  refusal = undefined;
});

const routes = operationRoutes({
  checks: async () => checks,
  draining: () => draining,
  metrics: () => ({ contentType: 'text/plain; version=0.0.4', text: 'up 1\n' }),
  refuseMetrics: async () => refusal,
});
const get = async (path: string): Promise<HttpResponse> => {
  const route = routes.find((each) => each.path === path);
  if (route === undefined) throw new Error(path);
  return await route.endpoint({ path } as HttpRequest, {});
};

describe('the health of the process', () => {
  it('is that it answers, whatever else is wrong', async () => {
    checks = { database: false };
    draining = true;
    expect(await get('/healthz')).toMatchObject({
      status: 200,
      body: 'ok\n',
      headers: { 'cache-control': 'no-store' },
    });
  });
});

describe('its readiness', () => {
  const ready = async (): Promise<unknown> => {
    const { status, body } = await get('/readyz');
    return [status, JSON.parse(String(body))];
  };

  it('is that everything works that it needs', async () => {
    expect(await ready()).toEqual([
      200,
      { ready: true, checks: { database: true, audit_log: true, accepting: true } },
    ]);
  });

  it('ends with any of them, and names it', async () => {
    checks = { database: true, audit_log: false };
    expect(await ready()).toEqual([
      503,
      { ready: false, checks: { database: true, audit_log: false, accepting: true } },
    ]);
  });

  it('ends when it is about to stop', async () => {
    draining = true;
    expect(await ready()).toMatchObject([503, { checks: { accepting: false } }]);
  });
});

describe('its figures', () => {
  it('are for who may read them', async () => {
    expect(await get('/metrics')).toMatchObject({
      status: 200,
      body: 'up 1\n',
      headers: { 'content-type': 'text/plain; version=0.0.4', 'cache-control': 'no-store' },
    });
    refusal = textResponse(403, 'no\n');
    expect(await get('/metrics')).toBe(refusal);
  });
});
