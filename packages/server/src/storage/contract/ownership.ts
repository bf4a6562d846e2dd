import { expect, it } from 'vitest';
import { T0, changed, clockRecord, freshId, identityRecord, offerRecord } from './records.ts';
import type { Subject } from './subject.ts';

export function ownershipContract({ storage }: Subject): void {
  const identity = async (): Promise<string> => {
    const record = identityRecord();
    await storage().identities.insert(record);
    return record.id;
  };

  it('keeps one clock an identity, replaced and stopped by compare-and-swap', async () => {
    const record = clockRecord(await identity(), { backup: 'team', interim: 'lin' });
    await storage().ownershipClocks.insert(record);
    expect(await storage().ownershipClocks.ofIdentity(record.identityId)).toStrictEqual(record);
    await expect(storage().ownershipClocks.insert(record)).rejects.toMatchObject({
      fault: 'unique_conflict',
      detail: 'id',
    });
    const next = { ...record, interim: undefined, taken: 1, nextAt: T0 + 9, version: 2 };
    await storage().ownershipClocks.replace(next);
    expect(await storage().ownershipClocks.ofIdentity(record.identityId)).toStrictEqual(next);
    const stale = { fault: 'version_conflict' };
    await expect(storage().ownershipClocks.replace(next)).rejects.toMatchObject(stale);
    await expect(storage().ownershipClocks.stop(record)).rejects.toMatchObject(stale);
    await storage().ownershipClocks.stop(next);
    await expect(storage().ownershipClocks.stop(next)).rejects.toMatchObject(stale);
    expect(await storage().ownershipClocks.ofIdentity(record.identityId)).toBeUndefined();
    const nobodys = clockRecord(freshId('idn'));
    await expect(storage().ownershipClocks.insert(nobodys)).rejects.toMatchObject({
      fault: 'missing_reference',
    });
  });

  it('gives the clocks that are due, the longest first, and those of who left', async () => {
    const [a, b, c] = [await identity(), await identity(), await identity()];
    const person = `Gone-${a}`;
    for (const [identityId, nextAt] of [
      [a, 300],
      [b, 100],
      [c, 200],
    ] as const) {
      await storage().ownershipClocks.insert(clockRecord(identityId, { person, nextAt }));
    }
    const due = async (now: number, limit = 1000): Promise<string[]> =>
      (await storage().ownershipClocks.due(now, limit)).map(({ identityId }) => identityId);
    expect(await due(99)).toStrictEqual([]);
    expect(await due(200)).toStrictEqual([b, c]);
    expect(await due(300, 2)).toStrictEqual([b, c]);
    const ofPerson = async (limit: number, after?: string): Promise<string[]> =>
      (await storage().ownershipClocks.ofPerson(person.toUpperCase(), limit, after)).map(
        ({ identityId }) => identityId,
      );
    expect(await ofPerson(2)).toStrictEqual([a, b].toSorted());
    expect([...(await ofPerson(2)), ...(await ofPerson(2, b))]).toStrictEqual([a, b, c]);
  });

  it('keeps one open offer an identity, and any number of decided ones', async () => {
    const identityId = await identity();
    const first = offerRecord(identityId, { reason: 'moves on', to: 'Lin', candidate: 'Lin' });
    await storage().ownershipOffers.insert(first);
    expect(await storage().ownershipOffers.byId(first.id)).toStrictEqual(first);
    const conflict = { fault: 'unique_conflict', detail: 'open_offer' };
    await expect(storage().ownershipOffers.insert(offerRecord(identityId))).rejects.toMatchObject(conflict);
    const declined = changed(first, { state: 'declined', decidedBy: 'lin', decidedAt: T0 + 5 });
    await storage().ownershipOffers.replace(declined);
    await expect(storage().ownershipOffers.replace(declined)).rejects.toMatchObject({
      fault: 'version_conflict',
    });
    const moved = changed(declined, { to: 'somebody else' });
    await expect(storage().ownershipOffers.replace(moved)).rejects.toMatchObject({
      fault: 'version_conflict',
    });
    const second = offerRecord(identityId);
    await storage().ownershipOffers.insert(second);
    expect(await storage().ownershipOffers.latestOf(identityId)).toStrictEqual(second);
    const all = await storage().ownershipOffers.list({ identityId }, { limit: 10 });
    expect(all.items).toStrictEqual([declined, second]);
  });

  it('lets exactly one of two decide on an offer', async () => {
    const offer = offerRecord(await identity());
    await storage().ownershipOffers.insert(offer);
    const results = await Promise.allSettled(
      (['accepted', 'declined'] as const).map((state) =>
        storage().ownershipOffers.replace(changed(offer, { state })),
      ),
    );
    expect(results.map(({ status }) => status).toSorted()).toStrictEqual(['fulfilled', 'rejected']);
  });

  it('gives the open offers that have waited long enough, and those of a candidate', async () => {
    const candidate = `Cand-${freshId('idn')}`;
    const offers = [];
    for (const dueAt of [30, 10, 20]) {
      const offer = offerRecord(await identity(), { dueAt, candidate, createdAt: T0 + dueAt });
      await storage().ownershipOffers.insert(offer);
      offers.push(offer);
    }
    const [late, first, second] = offers;
    expect(await storage().ownershipOffers.due(20, 10)).toStrictEqual([first, second]);
    expect(await storage().ownershipOffers.due(30, 1)).toStrictEqual([first]);
    const of = { candidate: candidate.toUpperCase(), state: 'open' } as const;
    const page = await storage().ownershipOffers.list(of, { limit: 2 });
    expect(page.items).toStrictEqual([first, second]);
    const rest = await storage().ownershipOffers.list(of, { limit: 2, after: page.next });
    expect(rest.items).toStrictEqual([late]);
  });
}
