import { expect, it } from 'vitest';
import type { WorkloadRecord } from '../workloads.ts';
import { changed, freshId, T0 } from './records.ts';
import type { Subject } from './subject.ts';

function workloadRecord(overrides: Partial<WorkloadRecord> = {}): WorkloadRecord {
  return {
    id: freshId('wkl'),
    agentId: freshId('idn'),
    identityId: freshId('idn'),
    selectors: ['unix:uid:1000', 'unix:path:/usr/bin/orders'],
    hint: undefined,
    state: 'active',
    expiresAt: T0 + 1000,
    createdAt: T0,
    updatedAt: T0,
    version: 1,
    ...overrides,
  };
}

export function workloadContract({ storage }: Subject): void {
  it('a workload is read as it was written', async () => {
    const record = workloadRecord({ hint: 'main' });
    await storage().workloads.insert(record);
    expect(await storage().workloads.byId(record.id)).toEqual(record);
    expect(await storage().workloads.byId(freshId('wkl'))).toBeUndefined();
  });

  it('a workload is replaced by its next version alone, and stays whose it is', async () => {
    const record = workloadRecord();
    await storage().workloads.insert(record);
    const next = changed(record, { selectors: ['unix:uid:1'], hint: 'b' });
    await storage().workloads.replace(next);
    expect(await storage().workloads.byId(record.id)).toEqual(next);
    await expect(storage().workloads.replace(next)).rejects.toMatchObject({ fault: 'version_conflict' });
    const taken = changed(next, { agentId: freshId('idn') });
    await expect(storage().workloads.replace(taken)).rejects.toMatchObject({ fault: 'version_conflict' });
  });

  it('an agent has its own workloads, the oldest first, and none that is deleted', async () => {
    const agentId = freshId('idn');
    const later = workloadRecord({ agentId, createdAt: T0 + 2, updatedAt: T0 + 2 });
    const earlier = workloadRecord({ agentId, createdAt: T0 + 1, updatedAt: T0 + 1 });
    const gone = workloadRecord({ agentId });
    for (const record of [later, earlier, gone, workloadRecord()]) await storage().workloads.insert(record);
    await storage().workloads.replace(changed(gone, { state: 'deleted' }));
    expect(await storage().workloads.ofAgent(agentId, 10)).toEqual([earlier, later]);
    expect(await storage().workloads.ofAgent(agentId, 1)).toEqual([earlier]);
    const page = await storage().workloads.list({ agentId }, { limit: 10, after: undefined });
    expect(page.items).toEqual([earlier, later]);
    const { identityId } = later;
    const ofIdentity = await storage().workloads.list({ identityId }, { limit: 10, after: undefined });
    expect(ofIdentity.items).toEqual([later]);
  });
}
