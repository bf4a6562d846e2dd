import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openMemoryStorage } from '../../test/memory-storage.ts';
import type { AccessRecord } from '../storage/access.ts';
import {
  accessRecord,
  changed,
  credentialRecord,
  identityRecord,
  resourceServerRecord,
} from '../storage/contract/records.ts';
import type { CredentialRecord } from '../storage/credentials.ts';
import { StorageError } from '../storage/errors.ts';
import type { IdentityRecord } from '../storage/identities.ts';
import type { ResourceServerRecord } from '../storage/resource-servers.ts';
import type { Change, Storage } from '../storage/storage.ts';
import { createFactsCache, type FactsCache, type FactsCacheDeps } from './facts-cache.ts';
import type { IdentityFacts } from './facts.ts';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('facts from the database', () => {
  let storage: Storage;
  let cache: FactsCache;
  let reads: number;
  let identity: IdentityRecord;
  let server: ResourceServerRecord;
  let access: AccessRecord;

  beforeEach(async () => {
    storage = await openMemoryStorage();
    identity = identityRecord({ clientId: 'payments' });
    server = resourceServerRecord();
    access = accessRecord(identity.id, server.id);
    await storage.identities.insert(identity);
    await storage.resourceServers.insert(server);
    await storage.access.insert(access);
    await storage.credentials.insert(credentialRecord(identity.id));
    reads = 0;
    const counting: FactsCacheDeps['storage'] = {
      ...storage,
      identities: {
        ...storage.identities,
        byClientId: (clientId) => {
          reads++;
          return storage.identities.byClientId(clientId);
        },
      },
    };
    cache = createFactsCache({ storage: counting, capacity: 3 });
  });
  afterEach(async () => {
    cache.close();
    await storage.close();
  });

  it('are read once and then given at once', async () => {
    const facts = await cache.byClientId('payments');
    expect(facts).toMatchObject({ identity, access: [{ access, resourceServer: server }] });
    expect(facts?.credentials).toHaveLength(1);
    expect(cache.byClientId('payments')).toBe(facts);
    expect([reads, cache.size()]).toEqual([1, 1]);
  });

  it('are read once for all who ask at the same time', async () => {
    const [a, b, c] = await Promise.all([1, 2, 3].map(async () => cache.byClientId('payments')));
    expect(a).toBe(b);
    expect(b).toBe(c);
    expect(reads).toBe(1);
  });

  it('are not remembered of clients that do not exist', async () => {
    for (let i = 0; i < 5; i++) expect(await cache.byClientId(`nobody-${i}`)).toBeUndefined();
    expect(await cache.byClientId('nobody-0')).toBeUndefined();
    expect([reads, cache.size()]).toEqual([6, 0]);
    await storage.identities.insert(identityRecord({ clientId: 'nobody-0' }));
    expect(await cache.byClientId('nobody-0')).toMatchObject({ identity: { clientId: 'nobody-0' } });
  });

  it('are the new ones at the very next call after any change of the identity', async () => {
    await cache.byClientId('payments');
    const suspended = changed(identity, { state: 'suspended' as const });
    await storage.identities.replace(suspended);
    expect((await cache.byClientId('payments'))?.identity).toEqual(suspended);
    const [credential] = await storage.credentials.ofIdentity(identity.id);
    await storage.credentials.replace(changed(credential as CredentialRecord, { state: 'revoked' }));
    expect((await cache.byClientId('payments'))?.credentials[0]?.state).toBe('revoked');
    await storage.access.replace(changed(access, { state: 'revoked' as const }));
    expect((await cache.byClientId('payments'))?.access).toEqual([]);
  });

  it('are the new ones at the very next call after a change of a resource server', async () => {
    await cache.byClientId('payments');
    const narrowed = changed(server, { scopes: [] as never[] });
    await storage.resourceServers.replace(narrowed);
    expect((await cache.byClientId('payments'))?.access[0]?.resourceServer).toEqual(narrowed);
    await storage.resourceServers.replace(changed(narrowed, { state: 'deleted' as const }));
    expect((await cache.byClientId('payments'))?.access).toEqual([]);
  });

  it('stay through changes that do not concern them', async () => {
    const facts = await cache.byClientId('payments');
    await storage.identities.insert(identityRecord({ clientId: 'other' }));
    expect(cache.byClientId('payments')).toBe(facts);
  });

  it('are bounded in number', async () => {
    for (let i = 0; i < 10; i++) {
      await storage.identities.insert(identityRecord({ clientId: `client-${i}` }));
      await cache.byClientId(`client-${i}`);
      expect(cache.size()).toBeLessThanOrEqual(3);
    }
    reads = 0;
    for (let i = 7; i < 10; i++) await cache.byClientId(`client-${i}`);
    expect(reads).toBe(0);
    await cache.byClientId('client-0');
    expect([reads, cache.size()]).toEqual([1, 3]);
  });

  it('are not followed any more after the end', async () => {
    await cache.byClientId('payments');
    cache.close();
    await storage.identities.replace(changed(identity, { state: 'suspended' as const }));
    expect(cache.size()).toBe(1);
  });
});

describe('facts that change while they are read', () => {
  let state: IdentityRecord['state'];
  let coherent: boolean;
  let tell: (change: Change) => void;
  /** Ends the reading of identities that waits, with what it saw when it began. */
  let gates: (() => void)[];
  let fails: boolean;
  let cache: FactsCache;
  const base = identityRecord({ id: 'idn_1', clientId: 'payments' });

  beforeEach(() => {
    state = 'active';
    coherent = true;
    fails = false;
    gates = [];
    const refuse = (): never => {
      throw new Error('is not asked');
    };
    const storage = {
      identities: {
        byClientId: (clientId: string) => {
          const seen = { ...base, clientId, state };
          return new Promise<IdentityRecord>((resolve, reject) =>
            gates.push(() => (fails ? reject(new StorageError('unavailable', 'gone')) : resolve(seen))),
          );
        },
      },
      credentials: { ofIdentity: async () => [] },
      access: { activeOfIdentity: async () => [] },
      resourceServers: { byId: refuse },
      onChange: (listener: (change: Change) => void) => {
        tell = listener;
        return () => undefined;
      },
      policies: { active: () => Promise.resolve([]) },
      coherent: () => coherent,
    };
    cache = createFactsCache({ storage: storage as unknown as FactsCacheDeps['storage'], capacity: 10 });
  });

  const read = (clientId = 'payments'): Promise<IdentityRecord['state'] | undefined> =>
    Promise.resolve(cache.byClientId(clientId)).then(
      (facts: IdentityFacts | undefined) => facts?.identity.state,
    );
  async function open(): Promise<void> {
    gates.shift()?.();
    await settle();
  }
  function suspend(change: Change = { kind: 'identity', identityId: 'idn_1' }): void {
    state = 'suspended';
    tell(change);
  }

  it.each<[string, Change]>([
    ['the identity', { kind: 'identity', identityId: 'idn_1' }],
    ['another identity', { kind: 'identity', identityId: 'idn_2' }],
    ['a resource server', { kind: 'resource_server', resourceServerId: 'rsv_1' }],
    ['policies', { kind: 'policies' }],
    ['anything', { kind: 'all' }],
  ])('are given to who asked before and kept for nobody: %s', async (_, change) => {
    const before = read();
    suspend(change);
    await open();
    expect([await before, cache.size()]).toEqual(['active', 0]);
    const after = read();
    await open();
    expect([await after, cache.size()]).toEqual(['suspended', 1]);
  });

  it('are read anew by who asks after the change, though a reading is under way', async () => {
    const before = read();
    suspend();
    const after = read();
    expect(gates).toHaveLength(2);
    await open();
    await open();
    expect([await before, await after]).toEqual(['active', 'suspended']);
    expect(await read()).toBe('suspended');
  });

  it('are not put back by an old reading that ends after the new one', async () => {
    const before = read();
    suspend();
    const after = read();
    gates.reverse();
    await open();
    expect(await after).toBe('suspended');
    await open();
    expect(await before).toBe('active');
    expect(await read()).toBe('suspended');
    expect(gates).toEqual([]);
  });

  it('are kept when what changed does not concern them', async () => {
    const before = read();
    tell({ kind: 'signing_keys' });
    tell({ kind: 'cutoffs' });
    await open();
    await before;
    expect(cache.size()).toBe(1);
  });

  it('are read each time while the database cannot promise to tell of changes, for each who asks', async () => {
    const first = read();
    await open();
    await first;
    coherent = false;
    state = 'suspended';
    const second = read();
    expect(cache.size()).toBe(0);
    state = 'decommissioned';
    const third = read();
    expect(gates).toHaveLength(2);
    await open();
    await open();
    expect([await second, await third, cache.size()]).toEqual(['suspended', 'decommissioned', 0]);
  });

  it('are not kept from a reading that began while it could not promise', async () => {
    coherent = false;
    const early = read();
    state = 'suspended';
    coherent = true;
    await open();
    expect([await early, cache.size()]).toEqual(['active', 0]);
  });

  it('are not kept from a reading that ended while it could not promise', async () => {
    const early = read();
    coherent = false;
    await open();
    await early;
    coherent = true;
    expect(cache.size()).toBe(0);
  });

  it('are asked for again after a reading that failed', async () => {
    fails = true;
    const both = Promise.allSettled([read(), read()]);
    await open();
    for (const each of await both)
      expect(each).toMatchObject({ status: 'rejected', reason: { fault: 'unavailable' } });
    fails = false;
    const next = read();
    await open();
    expect(await next).toBe('active');
  });
});
