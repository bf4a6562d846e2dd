import type { Clock } from '../../clock.ts';
import type { HttpRequest } from '../../http/request.ts';
import type { HttpResponse } from '../../http/response.ts';
import { problemOf, problemResponse } from './problem.ts';
import { createRequireAdmin, type RequireAdminDeps, TokenRefused } from './require-admin.ts';

/**
 * Who may read `/metrics`: this machine, where nobody else's requests come from it (no proxy is declared), and whoever
 * holds `metrics:read`. Undefined: it may.
 */
export function createMetricsGuard(
  deps: Omit<RequireAdminDeps, 'resource'> & {
    readonly adminResource: string;
    readonly clock: Clock;
    readonly behindProxy: boolean;
  },
): (request: HttpRequest) => Promise<HttpResponse | undefined> {
  const requireAdmin = createRequireAdmin({ ...deps, resource: deps.adminResource });
  return async (request) => {
    const loopback = request.source === '::1' || request.source.startsWith('127.');
    if (loopback && !deps.behindProxy) return undefined;
    try {
      requireAdmin.requireScopes(await requireAdmin.authenticate(request), ['metrics:read']);
      return undefined;
    } catch (error) {
      const problem = error instanceof TokenRefused ? error.problem : problemOf(error, deps.clock.now());
      if (problem === undefined) throw error;
      return problemResponse(problem, request.id);
    }
  };
}
