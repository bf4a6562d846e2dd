import type { ResourceServerRecord } from '../../storage/resource-servers.ts';
import type { ScopeRouteRecord } from '../../storage/scope-routes.ts';
import type { Stores } from '../../storage/storage.ts';
import type { UnregisteredCallerRecord } from '../../storage/unregistered-callers.ts';

/** What resource servers told that may be wrong with somebody. */
export interface ToldOfUse {
  /** By id of the resource server: routes that came after the first week of their scope, the latest first. */
  readonly lateRoutes: ReadonlyMap<string, readonly ScopeRouteRecord[]>;
  /** By id of the identity that reports: whom its resource servers let in that nobody has registered. */
  readonly unregistered: ReadonlyMap<string, readonly LetIn[]>;
}

export interface LetIn {
  readonly resourceServer: Pick<ResourceServerRecord, 'id' | 'identifier'>;
  readonly callers: readonly UnregisteredCallerRecord[];
}

export const NOTHING_TOLD: ToldOfUse = { lateRoutes: new Map(), unregistered: new Map() };

const DAY_MS = 86_400_000;
/** What is told in this time after the first route of a scope is what it has always meant. */
const BASELINE_MS = 7 * DAY_MS;
const LATELY_MS = 7 * DAY_MS;

export async function toldOfUse(
  stores: Pick<Stores, 'scopeRoutes' | 'unregisteredCallers' | 'resourceServers'>,
  now: number,
): Promise<ToldOfUse> {
  const lateRoutes = groupsOf(await stores.scopeRoutes.late(BASELINE_MS), (each) => each.resourceServerId);
  const letIn = await stores.unregisteredCallers.letInSince(now - LATELY_MS);
  const unregistered = new Map<string, LetIn[]>();
  for (const [id, callers] of groupsOf(letIn, (each) => each.resourceServerId)) {
    const resourceServer = await stores.resourceServers.byId(id);
    if (resourceServer?.state !== 'active') continue;
    // The same one in every round, whoever of several reported last.
    const [reporter = ''] = callers.map(({ reporterId }) => reporterId).toSorted();
    const own = unregistered.get(reporter) ?? [];
    own.push({ resourceServer, callers });
    unregistered.set(reporter, own);
  }
  return { lateRoutes, unregistered };
}

function groupsOf<T>(list: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of list) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
