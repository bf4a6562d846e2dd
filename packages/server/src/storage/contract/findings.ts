import { expect, it } from 'vitest';
import type { FindingRecord } from '../findings.ts';
import { T0, changed, findingRecord, freshId, identityRecord } from './records.ts';
import type { Subject } from './subject.ts';

export function findingContract({ storage }: Subject): void {
  async function inserted(overrides: Partial<FindingRecord> = {}): Promise<FindingRecord> {
    const identity = identityRecord();
    await storage().identities.insert(identity);
    const record = findingRecord(identity.id, overrides);
    await storage().findings.insert(record);
    return record;
  }

  it('gives back what was inserted, in every state', async () => {
    const open = await inserted();
    const accepted = await inserted({
      state: 'accepted',
      acceptedBy: 'ada',
      acceptedReason: 'migrates in May',
      acceptedUntil: T0 + 1e9,
    });
    const resolved = await inserted({
      kind: 'wide_access',
      subject: 'access',
      state: 'resolved',
      resolvedAt: T0 + 9,
    });
    for (const record of [open, accepted, resolved]) {
      expect(await storage().findings.byId(record.id)).toStrictEqual(record);
    }
    expect(await storage().findings.byId('fnd_none')).toBeUndefined();
  });

  it('holds one live finding of a kind about a subject, and any number of resolved ones', async () => {
    const first = await inserted();
    const twin = (): FindingRecord =>
      findingRecord(first.identityId, { kind: first.kind, subjectId: first.subjectId });
    const conflict = { fault: 'unique_conflict', detail: 'kind_subject' };
    await expect(storage().findings.insert(twin())).rejects.toMatchObject(conflict);
    const accepted = changed(first, { state: 'accepted', acceptedBy: 'ada', acceptedUntil: T0 + 1 });
    await storage().findings.replace(accepted);
    await expect(storage().findings.insert(twin())).rejects.toMatchObject(conflict);
    await storage().findings.insert({ ...twin(), kind: 'old_credential' });
    const resolved = changed(accepted, { state: 'resolved', resolvedAt: T0 + 5 });
    await storage().findings.replace(resolved);
    const again = twin();
    await storage().findings.insert(again);
    await storage().findings.replace(changed(again, { state: 'resolved', resolvedAt: T0 + 6 }));
    await expect(
      storage().findings.replace(changed(resolved, { state: 'open', resolvedAt: undefined })),
    ).resolves.toBeUndefined();
  });

  it('refuses one about an identity that does not exist', async () => {
    await expect(storage().findings.insert(findingRecord('idn_nobody'))).rejects.toMatchObject({
      fault: 'missing_reference',
    });
  });

  it('replaces by compare-and-swap and never moves one to another subject', async () => {
    const record = await inserted();
    const next = changed(record, { severity: 'high', reason: 'worse', fix: 'countersign help' });
    await storage().findings.replace(next);
    expect(await storage().findings.byId(record.id)).toStrictEqual(next);
    await expect(storage().findings.replace(next)).rejects.toMatchObject({ fault: 'version_conflict' });
    for (const moved of [
      { subjectId: freshId('crd') },
      { kind: 'wide_access' },
      { subject: 'access' },
    ] as const) {
      await expect(storage().findings.replace(changed(next, moved))).rejects.toMatchObject({
        fault: 'version_conflict',
      });
    }
  });

  it('marks live ones as seen without a new version, and leaves resolved ones alone', async () => {
    const record = await inserted();
    await storage().findings.seen(record.id, T0 + 77);
    expect(await storage().findings.byId(record.id)).toStrictEqual({ ...record, lastSeenAt: T0 + 77 });
    const resolved = await inserted({ state: 'resolved', resolvedAt: T0 + 1 });
    await storage().findings.seen(resolved.id, T0 + 77);
    expect(await storage().findings.byId(resolved.id)).toStrictEqual(resolved);
  });

  it('gives the live ones of an identity, oldest first', async () => {
    const late = await inserted({ createdAt: T0 + 2 });
    const early = findingRecord(late.identityId, { createdAt: T0 + 1, state: 'accepted' });
    await storage().findings.insert(early);
    await storage().findings.insert(findingRecord(late.identityId, { state: 'resolved' }));
    await inserted();
    const ids = (await storage().findings.liveOfIdentity(late.identityId)).map((record) => record.id);
    expect(ids).toEqual([early.id, late.id]);
    expect(await storage().findings.liveOfIdentity(freshId('idn'))).toEqual([]);
  });

  it('lists by each filter and in pages', async () => {
    const first = await inserted({ createdAt: T0 + 1 });
    const { identityId } = first;
    const second = findingRecord(identityId, {
      createdAt: T0 + 2,
      kind: 'wide_access',
      subject: 'access',
      severity: 'high',
    });
    const third = findingRecord(identityId, { createdAt: T0 + 3, state: 'resolved' });
    await storage().findings.insert(second);
    await storage().findings.insert(third);
    const list = async (filter: Parameters<ReturnType<typeof storage>['findings']['list']>[0]) => {
      const { items } = await storage().findings.list({ identityId, ...filter }, { limit: 9 });
      return items.map((record) => record.id);
    };
    expect(await list({})).toEqual([first.id, second.id, third.id]);
    expect(await list({ kind: 'wide_access' })).toEqual([second.id]);
    expect(await list({ severity: 'medium' })).toEqual([first.id, third.id]);
    expect(await list({ state: 'open' })).toEqual([first.id, second.id]);
    expect(await list({ subjectId: third.subjectId })).toEqual([third.id]);
    const page = await storage().findings.list({ identityId }, { limit: 2 });
    expect(page.items).toHaveLength(2);
    const rest = await storage().findings.list({ identityId }, { limit: 2, after: page.next });
    expect(rest).toEqual({ items: [third] });
  });
}
