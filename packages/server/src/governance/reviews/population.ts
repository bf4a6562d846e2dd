import type { AccessFilter, AccessRecord } from '../../storage/access.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Page, Position } from '../../storage/page.ts';
import type { ResourceServerRecord } from '../../storage/resource-servers.ts';
import type { ReviewQuery } from '../../storage/reviews.ts';
import type { Stores } from '../../storage/storage.ts';

/** An access that a campaign is about. */
export interface Candidate {
  readonly access: AccessRecord;
  readonly identity: IdentityRecord;
  readonly resourceServer: ResourceServerRecord;
}

type Reading = Pick<Stores, 'access' | 'identities' | 'resourceServers'>;

/** What of the next `limit` accesses the query is about; a page may be short, or empty, with others behind it. */
export async function nextCandidates(
  stores: Reading,
  query: ReviewQuery,
  now: number,
  limit: number,
  after: Position | undefined,
): Promise<Page<Candidate>> {
  const page = await stores.access.list(filterOf(query, now), { limit, after });
  const identities = await identitiesOf(stores, page.items, now);
  const servers = new Map<string, ResourceServerRecord | undefined>();
  const items: Candidate[] = [];
  for (const access of page.items) {
    const id = access.resourceServerId;
    if (!servers.has(id)) servers.set(id, await stores.resourceServers.byId(id));
    const resourceServer = servers.get(id);
    const identity = identities.get(access.identityId);
    if (identity === undefined || resourceServer?.state !== 'active' || access.expiresAt <= now) continue;
    if (sensitivityOf(access, resourceServer) < (query.minSensitivity ?? 0)) continue;
    items.push({ access, identity, resourceServer });
  }
  return page.next === undefined ? { items } : { items, next: page.next };
}

function filterOf(query: ReviewQuery, now: number): AccessFilter {
  const { resourceServerId, scope, environments, kinds, owner, team, notUsedForMs } = query;
  const asksIdentity = [environments, kinds, owner, team].some((each) => each !== undefined);
  return {
    state: 'active',
    resourceServerId,
    scope,
    ...(asksIdentity ? { identity: { environments, kinds, ownerPerson: owner, ownerTeam: team } } : {}),
    ...(notUsedForMs === undefined ? {} : { notUsedSince: now - notUsedForMs }),
  };
}

async function identitiesOf(
  stores: Pick<Stores, 'identities'>,
  records: readonly AccessRecord[],
  now: number,
): Promise<ReadonlyMap<string, IdentityRecord>> {
  const ids = [...new Set(records.map(({ identityId }) => identityId))];
  const found = await stores.identities.allAsOf(ids, now);
  return new Map(found.map((identity) => [identity.id, identity]));
}

function sensitivityOf({ scopes }: AccessRecord, resourceServer: ResourceServerRecord): number {
  const held = resourceServer.scopes.filter(({ name }) => scopes.includes(name));
  return Math.max(0, ...held.map(({ sensitivity }) => sensitivity));
}
