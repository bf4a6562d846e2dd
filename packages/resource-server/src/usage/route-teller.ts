// No RFC: which routes a guard stands before, as the framework's router knows them.
import type { Verifier } from '../verifier.ts';

/** Routes that one guard tells of; a router that makes paths up must not fill the memory. */
const MOST_PATHS = 100;

/** `path`: the template of a route, such as `/cases/:id`; anything that is no text is passed over. */
export type TellRoute = (method: string | undefined, path: unknown) => void;

/** For one guard: tells of each route once, and costs a look-up from then on. */
export function routeTeller(
  verifier: Partial<Pick<Verifier, 'opens'>>,
  scope: string | readonly string[],
): TellRoute {
  const told = new Map<string, Set<string>>();
  const scopes = typeof scope === 'string' ? scope.split(' ') : scope;
  return (given, path) => {
    if (typeof path !== 'string' || given === undefined) return;
    // RFC 9110 §9.3.2: whatever answers GET answers HEAD.
    const method = given === 'HEAD' ? 'GET' : given;
    let methods = told.get(path);
    if (methods?.has(method) === true) return;
    if (methods === undefined) {
      if (told.size >= MOST_PATHS) return;
      methods = new Set();
      told.set(path, methods);
    }
    methods.add(method);
    for (const each of scopes) if (each !== '') verifier.opens?.({ scope: each, method, path });
  };
}
