// A database that has lost its last orders while this process went on: a standby without all commits took over.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openMemoryStorage } from '../../test/memory-storage.ts';
import { pooledRandom } from '../ids.ts';
import type { CutoffRecord } from '../storage/cutoffs.ts';
import type { Storage } from '../storage/storage.ts';
import { createCutoffLedger } from './ledger.ts';
import { orderCutoff } from './order.ts';

const clock = { now: () => Date.parse('2026-11-21T12:00:00Z') };
const open: Storage[] = [];
let before: Storage;
let after: Storage;

beforeEach(async () => {
  before = await openMemoryStorage(clock);
  after = await openMemoryStorage(clock);
  open.push(before, after);
});
afterEach(async () => {
  for (const storage of open.splice(0)) await storage.close();
});

const order = (storage: Storage, target: string): Promise<CutoffRecord> =>
  storage.transaction((stores) =>
    orderCutoff({ clock, random: pooledRandom() }, stores, {
      kind: 'identity',
      target,
      reason: 'leak',
      orderedBy: 'a',
    }),
  );

test.each([
  ['shorter than it was', ['d']],
  ['as long as it was', ['d', 'e']],
  ['longer than it was', ['d', 'e', 'f']],
])('what is ordered then is known, also where the feed is %s', async (_what, targets) => {
  let current = before;
  let changed: () => void = () => undefined;
  const ledger = createCutoffLedger({
    clock,
    storage: {
      get cutoffs() {
        return current.cutoffs;
      },
      coherent: () => true,
      onChange(listener) {
        changed = () => listener({ kind: 'all' } as Parameters<typeof listener>[0]);
        return () => undefined;
      },
    },
  });
  for (const target of ['b', 'c']) await order(before, target);
  expect((await ledger.current()).head).toBe(2);
  for (const target of targets) await order(after, target);
  current = after;
  changed();
  const { entries, head, index } = await ledger.current();
  expect(entries.map(({ entry }) => entry.id)).toEqual(targets);
  expect(head).toBe(targets.length);
  // What this process knows it goes on obeying.
  expect([...index.identity.keys()].toSorted()).toEqual(['b', 'c', ...targets]);
});
