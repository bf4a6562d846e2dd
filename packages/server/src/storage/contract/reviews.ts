import { expect, it } from 'vitest';
import type { ReviewItemRecord } from '../review-items.ts';
import type { ReviewRecord } from '../reviews.ts';
import { T0, accessRecord, changed, freshId, pair } from './records.ts';
import type { Subject } from './subject.ts';

export function reviewContract({ storage }: Subject): void {
  const reviewRecord = (overrides: Partial<ReviewRecord> = {}): ReviewRecord => ({
    id: freshId('rvw'),
    name: 'spring',
    query: { environments: ['prod'], minSensitivity: 2, notUsedForMs: 1000 },
    reviewers: ['backup', 'person:ada'],
    fallback: 'role:reviewer',
    notOwner: true,
    opensAt: undefined,
    dueAt: T0 + 100,
    silenceAt: T0 + 200,
    reminders: [50, 10],
    reminded: 0,
    onSilence: 'suspend_identity',
    tokens: 'run_out',
    useWithinMs: 1000,
    repeatEveryMs: 5000,
    state: 'planned',
    stateReason: undefined,
    items: 0,
    lookedUpTo: undefined,
    nextAt: undefined,
    createdBy: 'ci',
    startedAt: undefined,
    endedAt: undefined,
    createdAt: T0,
    updatedAt: T0,
    version: 1,
    ...overrides,
  });

  async function inserted(overrides: Partial<ReviewRecord> = {}): Promise<ReviewRecord> {
    const record = reviewRecord(overrides);
    await storage().reviews.insert(record);
    return record;
  }

  async function itemRecord(
    reviewId: string,
    overrides: Partial<ReviewItemRecord> = {},
  ): Promise<ReviewItemRecord> {
    const { identity, resourceServer } = await pair(storage());
    const access = accessRecord(identity.id, resourceServer.id);
    await storage().access.insert(access);
    return {
      id: freshId('rvi'),
      reviewId,
      accessId: access.id,
      accessVersion: 1,
      identityId: identity.id,
      resourceServerId: resourceServer.id,
      requesters: [{ kind: 'named', handle: 'ada' }],
      reviewer: 'person:ada',
      fallback: 'role:reviewer',
      handedOn: 0,
      state: 'pending',
      verdict: undefined,
      decidedAt: undefined,
      remediation: 'none',
      remediationReason: undefined,
      cutoffId: undefined,
      effectiveAt: undefined,
      checkAt: undefined,
      createdAt: T0,
      updatedAt: T0,
      version: 1,
      ...overrides,
    };
  }

  const verdict = {
    person: 'ada',
    issuer: 'https://people.example',
    subject: 'ada-1',
    roles: ['reviewer'],
    comment: undefined,
    scopesBefore: ['fraud:read'],
    scopesAfter: [],
    use: { state: 'unknown' },
  };

  it('a campaign is read as it was written, and replaced by its next version only', async () => {
    const record = await inserted();
    expect(await storage().reviews.byId(record.id)).toEqual(record);
    const next = changed(record, {
      state: 'starting',
      items: 3,
      lookedUpTo: { createdAt: T0, id: freshId('acs') },
      nextAt: T0 + 5,
      startedAt: T0,
      stateReason: 'because',
      reminded: 1,
      endedAt: T0 + 9,
    });
    await storage().reviews.replace(next);
    expect(await storage().reviews.byId(record.id)).toEqual(next);
    await expect(storage().reviews.replace(next)).rejects.toMatchObject({ fault: 'version_conflict' });
    const held = await storage().transaction((stores) => stores.reviews.hold(record.id));
    expect(held).toEqual(next);
    expect(await storage().reviews.byId(freshId('rvw'))).toBeUndefined();
  });

  it('campaigns are listed by state, found when they are due, and counted while they have not ended', async () => {
    const before = await storage().reviews.live();
    const late = await inserted({ state: 'overdue', nextAt: T0 + 20 });
    const soon = await inserted({ state: 'open', nextAt: T0 + 10 });
    await inserted({ state: 'completed' });
    const due = async (now: number) => (await storage().reviews.due(now, 10)).map(({ id }) => id);
    expect((await due(T0 + 20)).filter((id) => [late.id, soon.id].includes(id))).toEqual([soon.id, late.id]);
    expect(await due(T0 + 9)).not.toContain(soon.id);
    expect(await storage().reviews.live()).toBe(before + 2);
    const { items } = await storage().reviews.list({ state: 'overdue' }, { limit: 10 });
    expect(items.map(({ id }) => id)).toEqual([late.id]);
  });

  it('items are all there or none, each access once, and show what their access is now', async () => {
    const { id } = await inserted();
    const [one, two] = [await itemRecord(id), await itemRecord(id, { createdAt: T0 + 1 })];
    await expect(
      storage().reviewItems.insert([one, { ...two, accessId: one.accessId }]),
    ).rejects.toMatchObject({
      fault: 'unique_conflict',
    });
    expect((await storage().reviewItems.list(id, {}, { limit: 10 })).items).toEqual([]);
    await storage().reviewItems.insert([one, two]);
    const now = { version: 1, state: 'active', scopes: ['fraud:read'] };
    expect(await storage().reviewItems.byId(one.id)).toEqual({ ...one, now });
    const access = await storage().access.byId(one.accessId);
    if (access !== undefined) await storage().access.replace(changed(access, { state: 'suspended' }));
    const next = changed(one, {
      state: 'revoked',
      verdict,
      decidedAt: T0 + 4,
      remediation: 'pending',
      remediationReason: 'why',
      cutoffId: freshId('cut'),
      effectiveAt: T0 + 5,
      checkAt: T0 + 6,
      reviewer: 'team:x',
      handedOn: 1,
      accessVersion: 2,
      requesters: [...one.requesters, { kind: 'named', handle: 'bob' }],
    });
    await storage().reviewItems.replace(next);
    const read = await storage().reviewItems.byId(one.id);
    expect(read).toEqual({
      ...next,
      verdict: read?.verdict,
      now: { ...now, version: 2, state: 'suspended' },
    });
    expect(read?.verdict).toEqual(JSON.parse(JSON.stringify(verdict)));
    await expect(storage().reviewItems.replace(next)).rejects.toMatchObject({ fault: 'version_conflict' });
    const first = await storage().reviewItems.list(id, {}, { limit: 1 });
    expect(first.items.map((each) => each.id)).toEqual([one.id]);
    const second = await storage().reviewItems.list(id, {}, { limit: 1, after: first.next });
    expect(second.items.map((each) => each.id)).toEqual([two.id]);
    await storage().reviewItems.replace(changed(next, { remediation: 'failed' }));
    expect((await storage().reviewItems.failed(10)).map((each) => each.id)).toContain(one.id);
    const due = await storage().reviewItems.toCheck(T0 + 6, { limit: 10 });
    expect(due).toContainEqual({ id: one.id, at: T0 + 6 });
  });

  it('items are found by who is asked, counted by state, and told for whom they wait', async () => {
    const { id } = await inserted();
    const items = [
      await itemRecord(id),
      await itemRecord(id),
      await itemRecord(id, { reviewer: 'team:x' }),
      await itemRecord(id, {
        reviewer: 'team:x',
        fallback: 'person:eve',
        state: 'kept',
        remediation: 'verified',
      }),
    ];
    await storage().reviewItems.insert(items);
    const found = async (filter: Parameters<ReturnType<typeof storage>['reviewItems']['list']>[1]) =>
      (await storage().reviewItems.list(id, filter, { limit: 10 })).items.length;
    expect(await found({ reviewers: ['person:ada'] })).toBe(2);
    expect(await found({ reviewers: ['person:eve'] })).toBe(0);
    expect(await found({ reviewers: ['person:eve'], orFallback: true })).toBe(1);
    expect(await found({ reviewers: [] })).toBe(0);
    expect(await found({ state: 'pending', reviewers: ['team:x', 'person:ada'] })).toBe(3);
    const counts = await storage().reviewItems.counts(id);
    expect(counts.states).toEqual({ pending: 3, kept: 1, reduced: 0, revoked: 0, silent: 0, gone: 0 });
    expect(counts.remediation).toMatchObject({ none: 3, verified: 1 });
    expect(await storage().reviewItems.waiting(id, 'reviewer', 10)).toEqual([
      { reviewer: 'person:ada', items: 2 },
      { reviewer: 'team:x', items: 1 },
    ]);
    expect(await storage().reviewItems.waiting(id, 'fallback', 10)).toEqual([
      { reviewer: 'role:reviewer', items: 3 },
    ]);
  });

  it('a suspended access keeps its place, and is due at its end', async () => {
    const { identity, resourceServer } = await pair(storage());
    const access = accessRecord(identity.id, resourceServer.id, { expiresAt: T0 + 1000 });
    await storage().access.insert(access);
    const suspended = changed(access, { state: 'suspended' });
    await storage().access.replace(suspended);
    const another = accessRecord(identity.id, resourceServer.id);
    await expect(storage().access.insert(another)).rejects.toMatchObject({ fault: 'unique_conflict' });
    expect(await storage().access.activeOfIdentity(identity.id)).toEqual([]);
    const due = await storage().access.due(T0 + 1000, { limit: 1000 });
    expect(due).toContainEqual({ id: access.id, at: T0 + 1000 });
    await storage().access.replace(changed(suspended, { state: 'expired', updatedAt: T0 + 3 }));
    await storage().access.insert(another);
  });

  it('access is found by what its identity is', async () => {
    const { identity, resourceServer } = await pair(storage());
    const access = accessRecord(identity.id, resourceServer.id);
    await storage().access.insert(access);
    const found = async (filter: object): Promise<boolean> => {
      const where = { resourceServerId: resourceServer.id, identity: filter };
      return (await storage().access.list(where, { limit: 10 })).items.length === 1;
    };
    const { environment, kind, owner } = identity;
    expect(await found({ environments: ['dev', environment], kinds: [kind] })).toBe(true);
    expect(await found({ environments: ['dev'] })).toBe(false);
    expect(await found({ kinds: ['device'] })).toBe(false);
    expect(await found({ ownerPerson: owner.person.toUpperCase(), ownerTeam: owner.team })).toBe(true);
    expect(await found({ ownerTeam: 'others' })).toBe(false);
  });
}
