import { expect, it } from 'vitest';
import type { PolicyExceptionRecord } from '../policy-exceptions.ts';
import type { PolicyRecord } from '../policies.ts';
import type { Change } from '../storage.ts';
import { T0, freshId, identityRecord } from './records.ts';
import type { Subject } from './subject.ts';

export function policyContract({ storage }: Subject): void {
  const policyRecord = (overrides: Partial<PolicyRecord> = {}): PolicyRecord => ({
    id: freshId('pol'),
    name: freshId('pol'),
    rule: 'credential_age',
    parameters: { max_age: '90d' },
    mode: 'report',
    match: { environments: ['prod'], minSensitivity: 2 },
    tests: [],
    state: 'active',
    createdAt: T0,
    updatedAt: T0,
    version: 1,
    ...overrides,
  });

  async function exceptionRecord(
    overrides: Partial<PolicyExceptionRecord> = {},
  ): Promise<PolicyExceptionRecord> {
    const policy = policyRecord();
    const identity = identityRecord();
    await storage().policies.insert(policy);
    await storage().identities.insert(identity);
    return {
      id: freshId('pex'),
      policyId: policy.id,
      identityId: identity.id,
      reason: 'moves in May',
      approvedBy: 'ada',
      expiresAt: T0 + 1000,
      state: 'active',
      createdAt: T0,
      updatedAt: T0,
      version: 1,
      ...overrides,
    };
  }

  it('keeps a policy as it was given, and every version of it', async () => {
    const policy = policyRecord();
    await storage().policies.insert(policy);
    expect(await storage().policies.byId(policy.id)).toStrictEqual(policy);
    expect(await storage().policies.byName(policy.name)).toStrictEqual(policy);
    expect(await storage().policies.active()).toContainEqual(policy);
    const enforced = { ...policy, mode: 'enforce', updatedAt: T0 + 10, version: 2 } as const;
    await storage().policies.replace(enforced);
    await expect(storage().policies.replace(enforced)).rejects.toMatchObject({ fault: 'version_conflict' });
    expect(await storage().policies.asOf(policy.id, T0 + 9)).toStrictEqual(policy);
    expect(await storage().policies.asOf(policy.id, T0 + 10)).toStrictEqual(enforced);
    expect(await storage().policies.activeAsOf(T0 + 9)).toContainEqual(policy);
    expect(await storage().policies.activeAsOf(T0 + 10)).toContainEqual(enforced);
    expect(await storage().policies.activeAsOf(T0 - 1)).not.toContainEqual(policy);
  });

  it('gives the name of a deleted policy to another one, and lists it no more', async () => {
    const policy = policyRecord();
    await storage().policies.insert(policy);
    const twin = policyRecord({ name: policy.name });
    await expect(storage().policies.insert(twin)).rejects.toMatchObject({
      fault: 'unique_conflict',
      detail: 'name',
    });
    const deleted = { ...policy, state: 'deleted', updatedAt: T0 + 1, version: 2 } as const;
    await storage().policies.replace(deleted);
    expect(await storage().policies.byName(policy.name)).toBeUndefined();
    expect(await storage().policies.active()).not.toContainEqual(deleted);
    expect(await storage().policies.activeAsOf(T0 + 2)).not.toContainEqual(deleted);
    expect((await storage().policies.list({ limit: 1000 })).items).not.toContainEqual(deleted);
    await storage().policies.insert(twin);
  });

  it('has one active exception of a policy and an identity, and every version of it', async () => {
    const record = await exceptionRecord();
    await storage().policyExceptions.insert(record);
    expect(await storage().policyExceptions.byId(record.id)).toStrictEqual(record);
    expect(await storage().policyExceptions.ofIdentity(record.identityId)).toStrictEqual([record]);
    const twin = { ...record, id: freshId('pex') };
    await expect(storage().policyExceptions.insert(twin)).rejects.toMatchObject({
      fault: 'unique_conflict',
      detail: 'policy_identity',
    });
    const revoked = { ...record, state: 'revoked', updatedAt: T0 + 10, version: 2 } as const;
    await storage().policyExceptions.replace(revoked);
    await expect(storage().policyExceptions.replace(revoked)).rejects.toMatchObject({
      fault: 'version_conflict',
    });
    expect(await storage().policyExceptions.ofIdentity(record.identityId)).toStrictEqual([]);
    const { identityId, policyId } = record;
    expect(await storage().policyExceptions.ofIdentityAsOf(identityId, T0 + 9)).toStrictEqual([record]);
    expect(await storage().policyExceptions.ofIdentityAsOf(identityId, T0 + 10)).toStrictEqual([]);
    await storage().policyExceptions.insert(twin);
    const page = { limit: 10 };
    expect((await storage().policyExceptions.list({ policyId }, page)).items).toStrictEqual([twin]);
    expect((await storage().policyExceptions.list({ identityId }, page)).items).toStrictEqual([twin]);
  });

  it('takes no exception from what does not exist', async () => {
    const record = await exceptionRecord({ policyId: freshId('pol') });
    await expect(storage().policyExceptions.insert(record)).rejects.toMatchObject({
      fault: 'missing_reference',
    });
  });

  it('tells of policies, and of the identity that is excepted', async () => {
    const record = await exceptionRecord();
    const changes: Change[] = [];
    const stop = storage().onChange((change) => changes.push(change));
    const policy = policyRecord();
    await storage().policies.insert(policy);
    await storage().policies.replace({ ...policy, version: 2 });
    await storage().policyExceptions.insert(record);
    stop();
    expect(changes).toEqual([
      { kind: 'policies' },
      { kind: 'policies' },
      { kind: 'identity', identityId: record.identityId },
    ]);
  });

  it('lets nobody change a policy while others judge by it', async () => {
    const policy = policyRecord();
    await storage().policies.insert(policy);
    const order: string[] = [];
    const judging = storage().transaction(async (stores) => {
      await stores.policies.lock('shared');
      order.push('judging');
      for (let reads = 0; reads < 5; reads++) await stores.policies.active();
      order.push('judged');
    });
    while (order.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await storage().transaction(async (stores) => {
      await stores.policies.lock('alone');
      order.push('changed');
    });
    await judging;
    expect(order).toEqual(['judging', 'judged', 'changed']);
  });
}
