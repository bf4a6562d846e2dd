import type { Cadence, IdentityRecord } from '../../storage/identities.ts';
import type { AccessRecord } from '../../storage/access.ts';
import type { Stores } from '../../storage/storage.ts';
import { readFactsOf } from '../facts-cache.ts';
import type { IdentityFacts } from '../facts.ts';
import { inactivityWindow } from '../inactivity.ts';
import { useOfCredentials } from '../use/credential-use.ts';
import { type AccessUse, useOfAccess } from '../use/read-use.ts';
import { watchedSince } from '../use/watch.ts';
import { type SizeFacts, strongerOnes, weakerOnes } from './verdict.ts';

export type SizeStores = Pick<
  Stores,
  | 'credentials'
  | 'access'
  | 'resourceServers'
  | 'usage'
  | 'usageReporters'
  | 'coverage'
  | 'credentialUse'
  | 'settings'
>;

/** What it takes to judge these identities: some reads for all of them, and of each only what could matter. */
export async function readSizes(
  stores: SizeStores,
  identities: readonly IdentityRecord[],
  tokenLifetime: number,
  now: number,
): Promise<readonly SizeFacts[]> {
  const facts: IdentityFacts[] = [];
  for (const identity of identities) facts.push(await readFactsOf(stores, identity));
  const uses = await usesOf(stores, facts, now);
  const lastUses = await stores.credentialUse.ofIdentities(identities.map(({ id }) => id));
  const watched = await watchedSince(stores.settings);
  const sizes: SizeFacts[] = [];
  for (const each of facts) {
    sizes.push({
      facts: each,
      uses: new Map(each.access.flatMap(({ access: { id } }) => entryOf(uses, id))),
      heldSince: await heldSinceOf(stores, each, uses),
      credentialUses: await credentialUsesOf(stores, each, now),
      identityUse: { lastUsedAt: lastUses.get(each.identity.id), watchedSince: watched },
      tokenLifetime,
    });
  }
  return sizes;
}

function entryOf<T>(map: ReadonlyMap<string, T>, key: string): [string, T][] {
  const value = map.get(key);
  return value === undefined ? [] : [[key, value]];
}

/** Identities of one cadence have one window. */
async function usesOf(
  stores: SizeStores,
  facts: readonly IdentityFacts[],
  now: number,
): Promise<ReadonlyMap<string, AccessUse>> {
  const byCadence = new Map<Cadence, AccessRecord[]>();
  for (const { identity, access } of facts) {
    const records = byCadence.get(identity.cadence) ?? [];
    records.push(...access.map((each) => each.access));
    byCadence.set(identity.cadence, records);
  }
  const all = new Map<string, AccessUse>();
  for (const [cadence, records] of byCadence) {
    const window = inactivityWindow(cadence);
    if (window === undefined || records.length === 0) continue;
    for (const [id, use] of await useOfAccess(stores, records, now, window)) all.set(id, use);
  }
  return all;
}

/** Looked up where a scope seems unused, and the access is not what it was at first. */
async function heldSinceOf(
  { access }: Pick<Stores, 'access'>,
  facts: IdentityFacts,
  uses: ReadonlyMap<string, AccessUse>,
): Promise<SizeFacts['heldSince']> {
  const found = new Map<string, ReadonlyMap<string, number>>();
  for (const { access: record } of facts.access) {
    const idle = uses.get(record.id)?.scopes.some(({ answer }) => answer === 'unused') === true;
    if (!idle || record.version === 1) continue;
    const versions = await access.historyOf(record.identityId, record.resourceServerId);
    found.set(record.id, heldSince(versions.filter(({ id }) => id === record.id)));
  }
  return found;
}

/** Of the versions of one access, oldest first: since when each scope of the last one was held without a break. */
export function heldSince(versions: readonly AccessRecord[]): ReadonlyMap<string, number> {
  const since = new Map<string, number>();
  for (const { scopes, state, updatedAt } of versions) {
    const held = new Set(state === 'active' ? scopes : []);
    for (const scope of since.keys()) if (!held.has(scope)) since.delete(scope);
    for (const scope of held) if (!since.has(scope)) since.set(scope, updatedAt);
  }
  return since;
}

async function credentialUsesOf(
  stores: SizeStores,
  { identity, credentials }: IdentityFacts,
  now: number,
): Promise<SizeFacts['credentialUses']> {
  const window = inactivityWindow(identity.cadence);
  const [weak, strong] = [weakerOnes(credentials, now), strongerOnes(credentials, now)];
  if (window === undefined || weak.length === 0 || strong.length === 0) return new Map();
  return await useOfCredentials(stores, [...weak, ...strong], now, window);
}
