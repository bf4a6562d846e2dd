import type { Route } from '../src/http/route.ts';

/** As the edge does it: literal segments and `:name`, decoded. */
export function findRoute(
  routes: readonly Route[],
  method: string,
  path: string,
): { route: Route; params: Record<string, string> } {
  const given = path.split('/');
  for (const route of routes) {
    const expected = route.path.split('/');
    if (route.method !== method || expected.length !== given.length) continue;
    const params: Record<string, string> = {};
    const fits = expected.every((part, i) => {
      if (!part.startsWith(':')) return part === given[i];
      params[part.slice(1)] = decodeURIComponent(given[i] as string);
      return true;
    });
    if (fits) return { route, params };
  }
  throw new Error(`no route ${method} ${path}`);
}
