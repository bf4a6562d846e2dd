import type { DeclaredPolicy } from '../policy/declared/judge.ts';
import type { ResourceServerRecord } from '../storage/resource-servers.ts';
import type { IdentityRecord } from '../storage/identities.ts';
import type { Change, Storage, Stores } from '../storage/storage.ts';
import type { AccessFacts, IdentityFacts, KeyFactsReader } from './facts.ts';
import { verdictFor } from './policy/in-force.ts';

export interface FactsCacheDeps {
  readonly storage: Pick<
    Storage,
    | 'identities'
    | 'credentials'
    | 'access'
    | 'resourceServers'
    | 'policies'
    | 'policyExceptions'
    | 'onChange'
    | 'coherent'
  >;
  /** Identities held at most; the one read longest ago leaves first. */
  readonly capacity: number;
}

export interface FactsCache extends KeyFactsReader {
  /** Identities held now, for the metrics. */
  size(): number;
  close(): void;
}

/**
 * Facts by client_id. Right because of three rules: every committed change drops what it concerns before the change is
 * acknowledged (port contract); what was being read while something changed is answered but not kept; and while the
 * database cannot promise to tell of changes, nothing is answered from here.
 *
 * Unknown client_ids are not remembered: they are made up without limit.
 */
export function createFactsCache(deps: FactsCacheDeps): FactsCache {
  const { storage, capacity } = deps;
  const byClientId = new Map<string, IdentityFacts>();
  const clientIdOf = new Map<string, string>();
  /** client_id by public id of an API key. Goes with the facts of that identity. */
  const clientIdOfKey = new Map<string, string>();
  const reading = new Map<string, Promise<IdentityFacts | undefined>>();
  let changes = 0;
  /** Enforced ones; undefined: to be read. */
  let policies: Promise<readonly DeclaredPolicy[]> | undefined;

  const unsubscribe = storage.onChange((change) => {
    if (concernsFacts(change)) changes++;
    reading.clear();
    if (change.kind === 'policies' || change.kind === 'all') policies = undefined;
    if (change.kind === 'identity') forget(clientIdOf.get(change.identityId));
    else if (concernsFacts(change)) forgetAll();
  });

  function forget(clientId: string | undefined): void {
    const facts = clientId === undefined ? undefined : byClientId.get(clientId);
    if (facts === undefined) return;
    byClientId.delete(facts.identity.clientId);
    clientIdOf.delete(facts.identity.id);
    for (const publicId of keysOf(facts)) clientIdOfKey.delete(publicId);
  }

  function forgetAll(): void {
    byClientId.clear();
    clientIdOf.clear();
    clientIdOfKey.clear();
  }

  function keep(facts: IdentityFacts): void {
    if (byClientId.size >= capacity) forget(byClientId.keys().next().value);
    byClientId.set(facts.identity.clientId, facts);
    clientIdOf.set(facts.identity.id, facts.identity.clientId);
    for (const publicId of keysOf(facts)) clientIdOfKey.set(publicId, facts.identity.clientId);
  }

  async function read(clientId: string): Promise<IdentityFacts | undefined> {
    const before = changes;
    const facts = await readFacts(storage, clientId, policiesInForce);
    if (facts !== undefined && changes === before && storage.coherent()) keep(facts);
    return facts;
  }

  async function policiesInForce(): Promise<readonly DeclaredPolicy[]> {
    if (!storage.coherent()) {
      policies = undefined;
      return await enforced(storage);
    }
    const asked = (policies ??= enforced(storage));
    try {
      return await asked;
    } catch (error) {
      if (policies === asked) policies = undefined;
      throw error;
    }
  }

  const cache: FactsCache = {
    byClientId(clientId) {
      if (!storage.coherent()) {
        if (byClientId.size > 0) forgetAll();
        // Not even a reading that is under way is shared: it may have begun before a change that nobody told of.
        return readFacts(storage, clientId, policiesInForce);
      }
      const facts = byClientId.get(clientId);
      if (facts !== undefined) return facts;
      let pending = reading.get(clientId);
      if (pending === undefined) {
        pending = read(clientId).finally(() => {
          if (reading.get(clientId) === pending) reading.delete(clientId);
        });
        reading.set(clientId, pending);
      }
      return pending;
    },
    byKeyId(publicId) {
      const clientId = storage.coherent() ? clientIdOfKey.get(publicId) : undefined;
      return clientId === undefined ? readByKeyId(publicId) : cache.byClientId(clientId);
    },
    size: () => byClientId.size,
    close: unsubscribe,
  };
  return cache;

  async function readByKeyId(publicId: string): Promise<IdentityFacts | undefined> {
    const credential = await storage.credentials.byPublicId(publicId);
    if (credential?.material.type !== 'api_key') return undefined;
    const identity = await storage.identities.byId(credential.identityId);
    return identity === undefined ? undefined : await cache.byClientId(identity.clientId);
  }
}

/** Public ids of the API keys that could still be used: as many as an identity may have live credentials. */
function keysOf(facts: IdentityFacts): readonly string[] {
  const found: string[] = [];
  for (const { material, state } of facts.credentials) {
    if (material.type === 'api_key' && state !== 'revoked' && state !== 'expired')
      found.push(material.publicId);
  }
  return found;
}

function concernsFacts(change: Change): boolean {
  return !['signing_keys', 'cutoffs', 'certificate_authorities'].includes(change.kind);
}

async function readFacts(
  storage: FactsCacheDeps['storage'],
  clientId: string,
  policiesInForce: () => Promise<readonly DeclaredPolicy[]>,
): Promise<IdentityFacts | undefined> {
  const identity = await storage.identities.byClientId(clientId);
  if (identity === undefined) return undefined;
  const facts = await readFactsOf(storage, identity);
  const declared = await verdictFor(storage, await policiesInForce(), facts);
  return declared === undefined ? facts : { ...facts, declared };
}

async function enforced({ policies }: Pick<Stores, 'policies'>): Promise<readonly DeclaredPolicy[]> {
  return (await policies.active()).filter(({ mode }) => mode === 'enforce');
}

/** All that is known of an identity that was read already, from the stores. */
export async function readFactsOf(
  storage: Pick<Stores, 'credentials' | 'access' | 'resourceServers'>,
  identity: IdentityRecord,
): Promise<IdentityFacts> {
  const [credentials, records] = await Promise.all([
    storage.credentials.ofIdentity(identity.id),
    storage.access.activeOfIdentity(identity.id),
  ]);
  const servers = new Map<string, ResourceServerRecord | undefined>();
  const access: AccessFacts[] = [];
  for (const record of records) {
    const id = record.resourceServerId;
    if (!servers.has(id)) servers.set(id, await storage.resourceServers.byId(id));
    const resourceServer = servers.get(id);
    if (resourceServer?.state === 'active') access.push({ access: record, resourceServer });
  }
  return { identity, credentials, access };
}
