import { expect, it } from 'vitest';
import type { TrustDomainRecord } from '../trust-domains.ts';
import { changed, freshId, T0 } from './records.ts';
import type { Subject } from './subject.ts';

function domainRecord(overrides: Partial<TrustDomainRecord> = {}): TrustDomainRecord {
  const id = freshId('tdm');
  return {
    id,
    trustDomain: `${id.replace('_', '-')}.test`,
    name: undefined,
    bundle: '{"keys":[]}',
    bundleEndpoint: undefined,
    endpointSpiffeId: undefined,
    state: 'active',
    createdAt: T0,
    updatedAt: T0,
    version: 1,
    ...overrides,
  };
}

export function trustDomainContract({ storage }: Subject): void {
  it('a trust domain is found by its name until it is deleted', async () => {
    const record = domainRecord({ name: 'The other one' });
    await storage().trustDomains.insert(record);
    expect(await storage().trustDomains.byId(record.id)).toEqual(record);
    expect(await storage().trustDomains.byTrustDomain(record.trustDomain)).toEqual(record);
    await storage().trustDomains.replace(changed(record, { state: 'deleted' }));
    expect(await storage().trustDomains.byTrustDomain(record.trustDomain)).toBeUndefined();
    await storage().trustDomains.insert(domainRecord({ trustDomain: record.trustDomain }));
  });

  it('two trust domains do not share a name, and none is renamed', async () => {
    const record = domainRecord();
    await storage().trustDomains.insert(record);
    const { trustDomain } = record;
    await expect(storage().trustDomains.insert(domainRecord({ trustDomain }))).rejects.toMatchObject({
      fault: 'unique_conflict',
    });
    const renamed = changed(record, { trustDomain: 'renamed.test' });
    await expect(storage().trustDomains.replace(renamed)).rejects.toMatchObject({
      fault: 'version_conflict',
    });
    const bundleEndpoint = 'https://bundle.test/';
    const endpointSpiffeId = 'spiffe://keeper.test/bundles';
    const next = changed(record, { bundle: undefined, bundleEndpoint, endpointSpiffeId });
    await storage().trustDomains.replace(next);
    expect(await storage().trustDomains.byId(record.id)).toEqual(next);
  });

  it('of what an endpoint answered the last is kept', async () => {
    const { id } = domainRecord();
    const { trustDomains } = storage();
    expect(await trustDomains.fetchedBundle(id)).toBeUndefined();
    const first = { declaration: 'one', bundle: '{"keys":[]}', fetchedAt: T0 };
    await trustDomains.keepFetchedBundle(id, first);
    expect(await trustDomains.fetchedBundle(id)).toEqual(first);
    const next = { declaration: 'two', bundle: '{"keys":[{}]}', fetchedAt: T0 + 1 };
    await trustDomains.keepFetchedBundle(id, next);
    expect(await trustDomains.fetchedBundle(id)).toEqual(next);
  });
}
