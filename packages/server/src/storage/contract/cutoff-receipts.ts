import { expect, it } from 'vitest';
import type { FollowerRecord } from '../cutoff-receipts.ts';
import { T0, freshId, resourceServerRecord } from './records.ts';
import type { Subject } from './subject.ts';

const EVERYTHING = { mostFollowers: 1000, mostConfirmations: 1000 };

export function cutoffReceiptContract({ storage }: Subject): void {
  const receipts = () => storage().cutoffReceipts;

  async function follower(overrides: Partial<FollowerRecord> = {}): Promise<FollowerRecord> {
    const server = resourceServerRecord();
    await storage().resourceServers.insert(server);
    return {
      resourceServerId: server.id,
      instance: freshId('boot'),
      proven: true,
      staleAfter: 10,
      onStale: 'refuse',
      firstSeenAt: T0,
      lastSeenAt: T0,
      ...overrides,
    };
  }
  const keyOf = ({ resourceServerId, instance, proven }: FollowerRecord) => ({
    resourceServerId,
    instance,
    proven,
  });
  const none = { followers: [], confirmations: [], attempts: [] };

  it('keeps of a follower when it was first and last seen, in whatever order that is told', async () => {
    const first = await follower();
    const later = { ...first, lastSeenAt: T0 + 9, firstSeenAt: T0 + 5, onStale: 'introspect' };
    await receipts().record({ ...none, followers: [first] });
    await receipts().record({ ...none, followers: [later] });
    await receipts().record({ ...none, followers: [{ ...later, lastSeenAt: T0 + 2 }] });
    const found = await receipts().followers(T0 + 9, 10);
    expect(found).toStrictEqual([{ ...later, firstSeenAt: T0 }]);
    expect(await receipts().followers(T0 + 10, 10)).toEqual([]);
  });

  it('keeps what was proven apart from what was only said', async () => {
    const proven = await follower({ lastSeenAt: T0 + 100 });
    await receipts().record({ ...none, followers: [proven, { ...proven, proven: false }] });
    const found = (await receipts().followers(T0 + 100, 10)).map((each) => each.proven);
    expect(new Set(found)).toEqual(new Set([false, true]));
    expect(found).toHaveLength(2);
  });

  it('answers with the earliest confirmation that reaches a cursor', async () => {
    const one = await follower();
    const confirm = (cursor: number, at: number) =>
      receipts().record({ ...none, confirmations: [{ ...keyOf(one), cursor, at }] });
    await confirm(1005, T0 + 50);
    await confirm(1003, T0 + 70);
    await confirm(1005, T0 + 60);
    const of = async (cursor: number) =>
      (await receipts().confirmationsOf(cursor)).filter((each) => each.instance === one.instance);
    expect(await of(1002)).toStrictEqual([{ ...keyOf(one), cursor: 1002, at: T0 + 50 }]);
    expect(await of(1005)).toStrictEqual([{ ...keyOf(one), cursor: 1005, at: T0 + 50 }]);
    expect(await of(1006)).toEqual([]);
  });

  it('keeps the largest number of attempts', async () => {
    const one = await follower();
    for (const count of [3, 7, 5]) {
      const attempts = [{ ...keyOf(one), cursor: 2001, count, at: T0 + count }];
      await receipts().record({ ...none, attempts });
    }
    expect(await receipts().attemptsOf(2001)).toStrictEqual([
      { ...keyOf(one), cursor: 2001, count: 7, at: T0 + 7 },
    ]);
  });

  it('leaves out a follower of what does not exist', async () => {
    const nobody = { ...(await follower()), resourceServerId: 'rsv_none', lastSeenAt: T0 + 1e6 };
    const confirmations = [{ ...keyOf(nobody), cursor: 3001, at: T0 }];
    await receipts().record({ ...none, followers: [nobody], confirmations });
    expect(await receipts().followers(T0 + 1e6, 10)).toEqual([]);
    expect(await receipts().confirmationsOf(3001)).toEqual([]);
  });

  it('sweeps who was not seen for long, the unproven sooner, with all that they said', async () => {
    const at = T0 + 2e6;
    const seen = async (proven: boolean, lastSeenAt: number) => {
      const one = await follower({ proven, lastSeenAt });
      const confirmations = [{ ...keyOf(one), cursor: 4001, at }];
      await receipts().record({ ...none, followers: [one], confirmations });
      return one.instance;
    };
    await seen(false, at + 1);
    await seen(true, at);
    const kept = [await seen(true, at + 1), await seen(false, at + 2)];
    await receipts().sweep({ ...EVERYTHING, provenBefore: at + 1, unprovenBefore: at + 2 });
    const confirmed = (await receipts().confirmationsOf(4001)).map((each) => each.instance);
    expect(confirmed.sort()).toEqual(kept.sort());
  });

  it('never keeps more than the sweep says: the newest stay', async () => {
    const at = T0 + 3e6;
    for (let i = 0; i < 5; i++) {
      const one = await follower({ lastSeenAt: at + i });
      const confirmations = [{ ...keyOf(one), cursor: 5001, at: at + i }];
      await receipts().record({ ...none, followers: [one], confirmations });
    }
    await receipts().sweep({ provenBefore: 0, unprovenBefore: 0, mostFollowers: 3, mostConfirmations: 2 });
    expect((await receipts().followers(0, 100)).map((each) => each.lastSeenAt - at)).toEqual([4, 3, 2]);
    const left = (await receipts().confirmationsOf(5001)).map((each) => each.at - at);
    expect(new Set(left)).toEqual(new Set([3, 4]));
  });
}
