/** A route that a scope of a resource server opens, as its guards tell: `/cases/:id`, never what a caller wrote there. */
export interface ScopeRoute {
  readonly scope: string;
  readonly method: string;
  readonly path: string;
}

export interface ScopeRouteRecord extends ScopeRoute {
  readonly resourceServerId: string;
  /** Epoch ms: when it was told first, and last. */
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
}

/** What the scopes of resource servers open. */
export interface ScopeRouteStore {
  /** Notes them as told at `at` (epoch ms); of a resource server that has `most` already, new ones are passed over. */
  tell(resourceServerId: string, routes: readonly ScopeRoute[], at: number, most: number): Promise<void>;
  /** By scope, then path and method; at most `most` of `tell`. */
  of(resourceServerId: string): Promise<readonly ScopeRouteRecord[]>;
  /** Of all resource servers, those told first more than `after` ms after the first route of their scope; at most 10,000, the latest first. */
  late(after: number): Promise<readonly ScopeRouteRecord[]>;
}
