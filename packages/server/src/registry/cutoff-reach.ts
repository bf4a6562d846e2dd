import type { CutoffKind } from '../storage/cutoffs.ts';
import type { ResourceServerRecord } from '../storage/resource-servers.ts';
import type { Stores } from '../storage/storage.ts';
import { limitOf } from './effective-access.ts';

export interface CutoffReachDeps {
  readonly lifetimes: { readonly default: number; readonly maximum: number };
}

export type ReachStores = Pick<
  Stores,
  'identities' | 'credentials' | 'access' | 'resourceServers' | 'signingKeys'
>;

/** A resource server that may be shown a token of what is cut off. */
export interface Reached {
  readonly resourceServer: ResourceServerRecord;
  /** Seconds that such a token may live on at most. Its record is in no table, so this is a bound, not a reading. */
  readonly longestLife: number;
}

/** Resource servers looked at at most. */
const MOST = 1000;
const PAGE = 200;

/**
 * Where tokens of the target may be accepted at `now` (epoch ms). What was exchanged for one of them may have gone further,
 * and ends with it all the same (protocol/cutoff-feed.ts).
 */
export async function cutoffReach(
  deps: CutoffReachDeps,
  stores: ReachStores,
  { kind, target }: { readonly kind: CutoffKind; readonly target: string },
  now: number,
): Promise<readonly Reached[]> {
  if (kind === 'identity') {
    const identity = (await stores.identities.byClientId(target)) ?? (await stores.identities.byId(target));
    return identity === undefined ? [] : ofIdentity(deps, stores, identity.id, undefined, now);
  }
  if (kind === 'credential') {
    const credential = await stores.credentials.byId(target);
    if (credential === undefined) return [];
    const only = limitOf(credential)?.resourceServerId;
    return ofIdentity(deps, stores, credential.identityId, only, now);
  }
  const key = kind === 'key' ? await stores.signingKeys.byKid(target) : undefined;
  const all = await everyServer(stores);
  return all
    .filter(({ token }) => kind === 'token' || token.signingAlg === key?.alg)
    .map((resourceServer) => ({ resourceServer, longestLife: lifeAt(deps, resourceServer) }));
}

const GAVE_TOKENS: ReadonlySet<string> = new Set(['active', 'suspended', 'revoked', 'expired']);

async function ofIdentity(
  deps: CutoffReachDeps,
  stores: ReachStores,
  identityId: string,
  only: string | undefined,
  now: number,
): Promise<readonly Reached[]> {
  const reached = new Map<string, Reached>();
  let after: Parameters<Stores['access']['list']>[1]['after'];
  do {
    const page = await stores.access.list({ identityId }, { limit: PAGE, after });
    for (const access of page.items) {
      if (only !== undefined && access.resourceServerId !== only) continue;
      if (!GAVE_TOKENS.has(access.state) || access.createdAt > now) continue;
      const resourceServer = await stores.resourceServers.byId(access.resourceServerId);
      if (resourceServer === undefined) continue;
      // What was taken away a moment ago may have given tokens until then.
      const end = access.state === 'active' ? now : Math.min(access.updatedAt, now);
      const life = Math.min(lifeAt(deps, resourceServer), access.tokenLifetime ?? Infinity);
      const left = Math.floor(Math.min(end + life * 1000, access.expiresAt) / 1000 - now / 1000);
      const known = reached.get(resourceServer.id)?.longestLife ?? 0;
      if (left > known) reached.set(resourceServer.id, { resourceServer, longestLife: left });
    }
    after = page.next;
  } while (after !== undefined && reached.size < MOST);
  return [...reached.values()];
}

async function everyServer(stores: ReachStores): Promise<readonly ResourceServerRecord[]> {
  const all: ResourceServerRecord[] = [];
  let after: Parameters<Stores['resourceServers']['list']>[1]['after'];
  do {
    const page = await stores.resourceServers.list({}, { limit: PAGE, after });
    all.push(...page.items);
    after = page.next;
  } while (after !== undefined && all.length < MOST);
  return all;
}

/** Seconds that a token for it lives at most. */
export function lifeAt({ lifetimes }: CutoffReachDeps, { token }: ResourceServerRecord): number {
  return Math.min(token.lifetime ?? lifetimes.default, lifetimes.maximum);
}
