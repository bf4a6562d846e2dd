import { afterEach, beforeEach, expect, test } from 'vitest';
import { openMemoryStorage } from '../../test/memory-storage.ts';
import { pooledRandom } from '../ids.ts';
import type { CutoffRecord } from '../storage/cutoffs.ts';
import { resourceServerRecord } from '../storage/contract/records.ts';
import { StorageError } from '../storage/errors.ts';
import type { Storage } from '../storage/storage.ts';
import { type CutoffFollowers, createCutoffFollowers, type FollowerWord } from './followers.ts';
import { createCutoffLedger, type CutoffLedger } from './ledger.ts';
import { orderCutoff } from './order.ts';

const START = Date.parse('2026-11-21T12:00:00Z');
let now: number;
let storage: Storage;
let ledger: CutoffLedger;
let followers: CutoffFollowers;
let server: string;
const clock = { now: () => now };

beforeEach(async () => {
  now = START;
  storage = await openMemoryStorage(clock);
  ledger = createCutoffLedger({ storage, clock });
  followers = createCutoffFollowers({ ledger, store: storage.cutoffReceipts, clock });
  const record = resourceServerRecord();
  await storage.resourceServers.insert(record);
  server = record.id;
});
afterEach(async () => {
  await followers.close();
  await storage.close();
});

const order = (target: string, kind: CutoffRecord['kind'] = 'identity'): Promise<CutoffRecord> =>
  storage.transaction((stores) =>
    orderCutoff({ clock, random: pooledRandom() }, stores, { kind, target, reason: 'leak', orderedBy: 'a' }),
  );

function word(change: Partial<FollowerWord> = {}): FollowerWord {
  return {
    resourceServerId: server,
    instance: 'boot-1',
    proven: true,
    source: '192.0.2.1',
    after: undefined,
    staleAfter: 10,
    onStale: 'refuse',
    attempts: [],
    ...change,
  };
}

async function confirmedAt(cursor: number): Promise<number[]> {
  await followers.flush();
  return (await storage.cutoffReceipts.confirmationsOf(cursor)).map((each) => each.at - START);
}

test('a cursor is the receipt of every order up to it, from the moment it is first shown', async () => {
  await followers.heard(word());
  const first = await order('a');
  const second = await order('b');
  now += 300;
  await followers.heard(word({ after: first.cursor }));
  now += 500;
  await followers.heard(word({ after: second.cursor }));
  now += 5000;
  await followers.heard(word({ after: second.cursor }));
  expect(await confirmedAt(first.cursor)).toEqual([300]);
  expect(await confirmedAt(second.cursor)).toEqual([800]);
});

test('a follower that has not come back has confirmed nothing', async () => {
  await followers.heard(word({ after: 0 }));
  const { cursor } = await order('a');
  expect(await confirmedAt(cursor)).toEqual([]);
});

test('a cursor of the future confirms nothing, and tells that the database is older than it was', async () => {
  const { cursor } = await order('a');
  await followers.heard(word({ after: cursor + 1, proven: false }));
  expect(followers.outrun()).toBe(false);
  await followers.heard(word({ after: cursor + 1 }));
  expect(followers.outrun()).toBe(true);
  expect(await confirmedAt(cursor)).toEqual([]);
  await order('b');
  await followers.heard(word());
  expect(followers.outrun()).toBe(false);
});

test('who revokes many tokens of its own, and tries them, hides no attempt after an order of people', async () => {
  const revoked = await Promise.all(Array.from({ length: 400 }, (_, i) => order(`t${i}`, 'token')));
  const { cursor, notBefore } = await order('a');
  const attempts = revoked.map(({ target, notBefore: at }) => ({
    kind: 'token' as const,
    id: target,
    notBefore: at,
    count: 1,
  }));
  await followers.heard(word({ attempts }));
  await followers.heard(word({ attempts: [{ kind: 'identity', id: 'a', notBefore, count: 3 }] }));
  await followers.flush();
  expect((await storage.cutoffReceipts.attemptsOf(cursor)).map(({ count }) => count)).toEqual([3]);
  const noted = await Promise.all(revoked.map((each) => storage.cutoffReceipts.attemptsOf(each.cursor)));
  expect(noted.flat()).toHaveLength(200);
});

test('attempts after orders that no longer matter leave their room to others', async () => {
  const tell = async (targets: readonly string[]): Promise<number> => {
    const orders = await Promise.all(targets.map((target) => order(target)));
    const attempts = orders.map(({ target, notBefore }) => ({
      kind: 'identity' as const,
      id: target,
      notBefore,
      count: 1,
    }));
    await followers.heard(word({ attempts }));
    await followers.flush();
    const noted = await Promise.all(orders.map(({ cursor }) => storage.cutoffReceipts.attemptsOf(cursor)));
    return noted.flat().length;
  };
  expect(await tell(Array.from({ length: 200 }, (_, i) => `a${i}`))).toBe(200);
  for (let hour = 0; hour < 25 * 12; hour++) {
    now += 300_000;
    await followers.heard(word());
  }
  expect(await tell(['b'])).toBe(1);
});

test('attempts count from the start of a follower: told twice or late they are right', async () => {
  const { cursor, notBefore } = await order('a');
  const told = (count: number) => word({ attempts: [{ kind: 'identity', id: 'a', notBefore, count }] });
  for (const count of [2, 5, 3, 5]) await followers.heard(told(count));
  await followers.heard(word({ attempts: [{ kind: 'identity', id: 'b', notBefore, count: 9 }] }));
  await followers.flush();
  expect((await storage.cutoffReceipts.attemptsOf(cursor)).map((each) => each.count)).toEqual([5]);
});

test('what the database does not take is kept until it does', async () => {
  let refuses = true;
  const store = {
    record: (batch: Parameters<Storage['cutoffReceipts']['record']>[0]) =>
      refuses
        ? Promise.reject(new StorageError('unavailable', 'gone'))
        : storage.cutoffReceipts.record(batch),
  };
  const own = createCutoffFollowers({ ledger, store, clock });
  const { cursor, notBefore } = await order('a');
  const attempts = [{ kind: 'identity' as const, id: 'a', notBefore, count: 1 }];
  await own.heard(word({ after: cursor, attempts }));
  await expect(own.flush()).rejects.toThrow('gone');
  refuses = false;
  await own.flush();
  expect(await storage.cutoffReceipts.confirmationsOf(cursor)).toHaveLength(1);
  expect(await storage.cutoffReceipts.attemptsOf(cursor)).toHaveLength(1);
  expect(await storage.cutoffReceipts.followers(0, 10)).toHaveLength(1);
  await own.close();
});

test('an authority that was started anew hears again what its crash forgot', async () => {
  const { cursor } = await order('a');
  const anew = createCutoffFollowers({ ledger, store: storage.cutoffReceipts, clock });
  now += 900;
  await anew.heard(word({ after: cursor }));
  await anew.flush();
  expect(await confirmedAt(cursor)).toEqual([900]);
  await anew.close();
});

test('clients that revoke token after token fill no table', async () => {
  await followers.heard(word({ after: 0 }));
  let last = 0;
  for (let i = 0; i < 500; i++) {
    last = (await order(`t${i}`, 'token')).cursor;
    now += 100;
    await followers.heard(word({ after: last }));
  }
  await followers.flush();
  const earliest = await confirmedAt(1);
  expect(earliest).toEqual([100]);
  // All are confirmed, the last ones at the latest when there is room again.
  now += 30_000;
  await followers.heard(word({ after: last }));
  expect(await confirmedAt(last)).toHaveLength(1);
});

test('strangers have room for a hundred a network and two hundred an API; who proves itself has its own', async () => {
  const hear = (i: number, source: string) =>
    followers.heard(word({ instance: `i${i}`, proven: false, source }));
  for (let i = 0; i < 150; i++) await hear(i, '192.0.2.1');
  expect([followers.size(), followers.crowdedOut()]).toEqual([100, 50]);
  for (let i = 200; i < 400; i++) await hear(i, `198.51.100.${i % 250}`);
  expect([followers.size(), followers.crowdedOut()]).toEqual([200, 150]);
  await followers.heard(word());
  expect(followers.size()).toBe(201);
  for (let i = 0; i < 1100; i++) await followers.heard(word({ instance: `p${i}` }));
  expect(followers.size()).toBe(1200);
});

test('strangers at many APIs never take the places of those who prove themselves', async () => {
  const strangers = Array.from({ length: 10_100 }, (_, i) =>
    word({
      resourceServerId: `rsv_${i % 60}`,
      instance: `i${i}`,
      proven: false,
      source: `198.51.${i % 120}.1`,
    }),
  );
  for (const each of strangers) await followers.heard(each);
  expect(followers.size()).toBe(10_000);
  await followers.heard(word());
  expect(followers.size()).toBe(10_001);
});

test('who is silent for ten minutes makes room', async () => {
  for (let i = 0; i < 100; i++) await followers.heard(word({ instance: `i${i}`, proven: false }));
  await followers.flush();
  now += 600_000;
  await followers.heard(word({ instance: 'new', proven: false }));
  expect([followers.size(), followers.crowdedOut()]).toEqual([1, 0]);
});
