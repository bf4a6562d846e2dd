import { expect, it } from 'vitest';
import type { ProposalRecord } from '../proposals.ts';
import { changed, identityRecord, proposalRecord, T0 } from './records.ts';
import type { Subject } from './subject.ts';

const APPLIED: ProposalRecord['applied'] = {
  by: { identity: 'ada', person: { issuer: 'i', subject: 's', handle: 'ada', signedInAt: T0 } },
  at: T0,
  until: T0 + 1000,
  undo: { scopes: ['b'], denied: { b: 1 }, expiresAt: T0 + 9, conditions: { binding: 'dpop' } },
  watchedSeq: 0,
  refusedTokens: 0,
};

export function proposalContract({ storage }: Subject): void {
  async function inserted(overrides: Partial<ProposalRecord> = {}): Promise<ProposalRecord> {
    const identity = identityRecord();
    await storage().identities.insert(identity);
    const record = proposalRecord(identity.id, overrides);
    await storage().proposals.insert(record);
    return record;
  }

  it('gives back what was inserted, in every state', async () => {
    const open = await inserted();
    const dismissed = await inserted({
      state: 'dismissed',
      dismissedBy: 'ada',
      dismissedReason: 'no',
      dismissedUntil: T0 + 9,
    });
    const applied = await inserted({
      kind: 'remove',
      state: 'applied',
      applied: APPLIED,
      nextAt: T0 + 1,
      refusals: 2,
      lastRefusedAt: T0,
    });
    for (const record of [open, dismissed, applied]) {
      expect(await storage().proposals.byId(record.id)).toEqual(record);
    }
    expect(await storage().proposals.byId('prp_none')).toBeUndefined();
  });

  it('holds one live proposal of a kind about a subject, and any number of those that are over', async () => {
    const first = await inserted();
    const twin = (): ProposalRecord => proposalRecord(first.identityId, { subjectId: first.subjectId });
    const conflict = { fault: 'unique_conflict', detail: 'kind_subject' };
    await expect(storage().proposals.insert(twin())).rejects.toMatchObject(conflict);
    const waiting = changed(first, { state: 'rollback_requested', applied: APPLIED });
    await storage().proposals.replace(waiting);
    await expect(storage().proposals.insert(twin())).rejects.toMatchObject(conflict);
    await storage().proposals.insert({ ...twin(), kind: 'remove' });
    await storage().proposals.replace(changed(waiting, { state: 'rolled_back' }));
    await storage().proposals.insert(twin());
  });

  it('refuses one about an identity that does not exist, and a version that is not the next', async () => {
    await expect(storage().proposals.insert(proposalRecord('idn_nobody'))).rejects.toMatchObject({
      fault: 'missing_reference',
    });
    const record = await inserted();
    await expect(storage().proposals.replace({ ...record, version: 3 })).rejects.toMatchObject({
      fault: 'version_conflict',
    });
  });

  it('gives the live ones of several identities, those that are due, and pages by every filter', async () => {
    const one = await inserted({ nextAt: T0 + 5, state: 'applied', applied: APPLIED });
    const two = await inserted({ kind: 'retire', subject: 'identity', nextAt: T0 + 3, createdAt: T0 + 1 });
    const over = await inserted({ state: 'settled' });
    const { proposals } = storage();
    const ids = (records: readonly ProposalRecord[]): string[] => records.map(({ id }) => id);
    const whose = [one, two, over].map(({ identityId }) => identityId);
    expect(ids(await proposals.liveOf(whose)).toSorted()).toEqual(ids([one, two]).toSorted());
    expect(await proposals.liveOf([])).toEqual([]);
    const due = async (until: number, limit = 10): Promise<string[]> =>
      ids(await proposals.due(until, limit));
    expect((await due(T0 + 5)).filter((id) => id === one.id || id === two.id)).toEqual([two.id, one.id]);
    expect(await due(T0 + 2)).not.toContain(two.id);
    const listed = async (filter: Parameters<typeof proposals.list>[0]): Promise<string[]> =>
      ids((await proposals.list(filter, { limit: 10 })).items);
    expect(await listed({ identityId: one.identityId })).toEqual([one.id]);
    expect(await listed({ identityId: two.identityId, kind: 'retire' })).toEqual([two.id]);
    expect(await listed({ subjectId: over.subjectId, state: 'settled' })).toEqual([over.id]);
    expect(await listed({ identityId: over.identityId, state: 'open' })).toEqual([]);
  });
}
