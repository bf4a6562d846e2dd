import type { HostPattern } from './host.ts';
import type { PathPattern } from './path-pattern.ts';

/** What a rule asks of who comes. */
export type Requirement =
  /** A token of this resource with all of these scopes. */
  | { readonly kind: 'token'; readonly resource: string; readonly scope: readonly string[] }
  /** Nothing. */
  | { readonly kind: 'public' }
  /** Nobody is let through. */
  | { readonly kind: 'deny' };

/** One rule: who may send what where. */
export interface Route {
  /** For logs and metrics: what the file calls it, else `routes[3]`. */
  readonly name: string;
  /** Of the file, for messages. */
  readonly line: number;
  readonly host: HostPattern;
  readonly path: PathPattern;
  /** Undefined: every method. */
  readonly methods: ReadonlySet<string> | undefined;
  readonly requirement: Requirement;
  /** Name of an upstream, for the reverse proxy; undefined where a front proxy knows where requests go. */
  readonly upstream: string | undefined;
}
