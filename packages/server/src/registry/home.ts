import type { Environment } from '../storage/identities.ts';
import type { Stores } from '../storage/storage.ts';
import type { IdentityFacts } from './facts.ts';
import { STANDING_SCOPES } from './stands-for.ts';

/** Where an API runs: the environment of the identity that stands for it. */
export interface Home {
  readonly clientId: string;
  readonly environment: Environment;
}

/** Of those who stand for an API, this many are asked. */
const MOST_ASKED = 20;

/** By id of the resource server, what was looked up already: many identities have access to the same few. */
export type KnownHomes = Map<string, Promise<Home | undefined>>;

/** Of the APIs that this identity has access to and does not stand for itself. Where those who stand for one run in several, it has none. */
export async function homesOf(
  stores: Pick<Stores, 'access' | 'identities'>,
  { identity, access }: IdentityFacts,
  known: KnownHomes = new Map(),
): Promise<ReadonlyMap<string, Home>> {
  const homes = new Map<string, Home>();
  for (const { resourceServer } of access) {
    const standing = resourceServer.scopes.filter(({ name }) => STANDING.has(name));
    if (resourceServer.builtIn || standing.length === 0) continue;
    const scopes = standing.map(({ name }) => name);
    const looked = known.get(resourceServer.id) ?? homeOf(stores, resourceServer.id, scopes);
    known.set(resourceServer.id, looked);
    const home = await looked;
    if (home !== undefined && home.clientId !== identity.clientId) homes.set(resourceServer.id, home);
  }
  return homes;
}

const STANDING: ReadonlySet<string> = new Set(Object.values(STANDING_SCOPES));

async function homeOf(
  { access, identities }: Pick<Stores, 'access' | 'identities'>,
  resourceServerId: string,
  scopes: readonly string[],
): Promise<Home | undefined> {
  const found: Home[] = [];
  for (const scope of scopes) {
    const { items } = await access.list({ resourceServerId, scope, state: 'active' }, { limit: MOST_ASKED });
    for (const { identityId } of items) {
      const identity = await identities.byId(identityId);
      if (identity?.state === 'active')
        found.push({ clientId: identity.clientId, environment: identity.environment });
    }
  }
  const [first] = found;
  return found.every(({ environment }) => environment === first?.environment) ? first : undefined;
}
