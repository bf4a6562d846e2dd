// No RFC: routes on their way into reports, each once.

/** A route that a scope opens. `path` is the router's template, never what a caller wrote there. */
export interface OpenedRoute {
  readonly scope: string;
  readonly method: string;
  readonly path: string;
}

/** Routes that one process tells of, and those that go into one report. */
export const MOST_ROUTES = 1000;
export const MOST_ROUTES_A_REPORT = 200;

const METHOD = /^[A-Z]{1,20}$/;
const PATH = /^[\x21-\x7e]{1,256}$/;
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/;

export class ToldRoutes {
  readonly #known = new Set<string>();
  #waiting: OpenedRoute[] = [];

  /** What the authority would not take is passed over. */
  add(route: OpenedRoute): void {
    const { scope, method, path } = route;
    const key = `${scope} ${method} ${path}`;
    if (this.#known.has(key) || this.#known.size >= MOST_ROUTES) return;
    if (!METHOD.test(method) || !PATH.test(path) || !SCOPE.test(scope)) return;
    this.#known.add(key);
    this.#waiting.push({ scope, method, path });
  }

  /** Those for the next report. */
  take(): readonly OpenedRoute[] {
    return this.#waiting.splice(0, MOST_ROUTES_A_REPORT);
  }

  /** Takes back what was in a report that nobody took. */
  giveBack(routes: readonly OpenedRoute[]): void {
    this.#waiting = [...routes, ...this.#waiting];
  }
}
