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
    const next = changed(record, { bundle: undefined, bundleEndpoint: 'https://bundle.test/' });
    await storage().trustDomains.replace(next);
    expect(await storage().trustDomains.byId(record.id)).toEqual(next);
  });
}
