// Which scope opens what: pairs of a path and its methods, after the model of RFC 9237 §2.
import type { Method, RequestTarget } from '../message/request-target.ts';

/** By scope. A path that ends in `/*` is everything below it. */
export type Permissions = { readonly [scope: string]: readonly Permission[] };
export type Permission = readonly [path: string, methods: readonly Method[]];

/** RFC 9200 §5.10.2: 4.03 for a resource that is not covered, 4.05 for a method that is not. */
export type Verdict = 'allowed' | 'resource_not_covered' | 'method_not_covered';

/** Own members alone: a scope called like something that every object has opens nothing. */
export function judge(permissions: Permissions, scope: string, { method, path }: RequestTarget): Verdict {
  let isCovered = false;
  for (const name of scope.split(' ')) {
    if (!Object.hasOwn(permissions, name)) continue;
    for (const [pattern, methods] of permissions[name] ?? []) {
      if (!covers(pattern, path)) continue;
      if (methods.includes(method)) return 'allowed';
      isCovered = true;
    }
  }
  return isCovered ? 'method_not_covered' : 'resource_not_covered';
}

/** The scopes that would open it, for the hint (RFC 9200 §5.3). */
export function scopesFor(permissions: Permissions, { method, path }: RequestTarget): readonly string[] {
  return Object.entries(permissions)
    .filter(([, pairs]) =>
      pairs.some(([pattern, methods]) => covers(pattern, path) && methods.includes(method)),
    )
    .map(([scope]) => scope);
}

function covers(pattern: string, path: string): boolean {
  return pattern.endsWith('/*') ? path.startsWith(pattern.slice(0, -1)) : pattern === path;
}
