// Which rule decides about a request: the first in the file that matches. A rule that never could is a mistake of the file.
import { coversPath, matchesPath } from './path-pattern.ts';
import type { Route } from './route.ts';

export interface RouteTable {
  /** What decides. `ambiguous_case`: a server that ignores letter case would see the path of an earlier rule. */
  find(request: RoutedRequest): Route | 'no_route' | 'ambiguous_case';
}

export interface RoutedRequest {
  readonly host: string;
  readonly method: string;
  readonly segments: readonly string[];
}

/** A rule behind another that takes all of its requests. */
export interface ShadowedRoute {
  readonly route: Route;
  readonly by: Route;
}

export function routeTable(routes: readonly Route[]): RouteTable {
  const first = (request: RoutedRequest, folded: boolean): Route | undefined =>
    routes.find(
      ({ host, methods, path }) =>
        host.matches(request.host) &&
        takesMethod(methods, request.method) &&
        matchesPath(path, request.segments, folded),
    );
  return {
    find(request) {
      const route = first(request, false);
      if (route === undefined) return 'no_route';
      return first(request, true) === route ? route : 'ambiguous_case';
    },
  };
}

/** RFC 9110 §9.3.2: HEAD asks for what GET does, without the content. */
function takesMethod(methods: Route['methods'], method: string): boolean {
  return methods === undefined || methods.has(method) || (method === 'HEAD' && methods.has('GET'));
}

export function shadowedRoutes(routes: readonly Route[]): readonly ShadowedRoute[] {
  return routes.flatMap((route, i) => {
    const by = routes.slice(0, i).find((earlier) => covers(earlier, route));
    return by === undefined ? [] : [{ route, by }];
  });
}

function covers(earlier: Route, later: Route): boolean {
  if (!earlier.host.covers(later.host) || !coversPath(earlier.path, later.path)) return false;
  if (earlier.methods === undefined) return true;
  return (
    later.methods !== undefined && [...later.methods].every((method) => takesMethod(earlier.methods, method))
  );
}
