import type { Stores } from '../storage/storage.ts';
import { RegistryRefusal } from './refusal.ts';
import { MOST_WORKLOADS_OF_AGENT } from './workload/served.ts';

/**
 * Scopes of the admin API that the caller holds itself. Undefined: the authority itself acts, and holds all. Who may
 * write access or credentials must not be able to become more than it is by giving itself, or an identity that it can
 * then act as, what it lacks.
 */
export type Ceiling = ReadonlySet<string> | undefined;

export function requireWithin(ceiling: Ceiling, scopes: readonly string[]): void {
  if (ceiling === undefined) return;
  const beyond = scopes.filter((scope) => !ceiling.has(scope));
  if (beyond.length > 0) {
    throw new RegistryRefusal(
      'exceeds_own_access',
      `the caller does not hold ${beyond.slice(0, 5).join(', ')}`,
    );
  }
}

export type MayActAsStores = Pick<Stores, 'access' | 'resourceServers' | 'workloads'>;

/**
 * Whoever gets a credential of this identity may do all that the identity may do, and of an agent what those may do whose SVIDs
 * it gets: they prove them.
 */
export async function requireMayActAs(
  ceiling: Ceiling,
  stores: MayActAsStores,
  identityId: string,
): Promise<void> {
  if (ceiling === undefined) return;
  // What is added while it is walked is walked too; agents may serve each other.
  const reached = new Set([identityId]);
  for (const each of reached) {
    await requireHolds(ceiling, stores, each);
    const served = await stores.workloads.ofAgent(each, MOST_WORKLOADS_OF_AGENT);
    for (const workload of served) reached.add(workload.identityId);
  }
}

async function requireHolds(ceiling: Ceiling, stores: MayActAsStores, identityId: string): Promise<void> {
  for (const access of await stores.access.activeOfIdentity(identityId)) {
    const resourceServer = await stores.resourceServers.byId(access.resourceServerId);
    if (resourceServer?.builtIn === true) requireWithin(ceiling, access.scopes);
  }
}
