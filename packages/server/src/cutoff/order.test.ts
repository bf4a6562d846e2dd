import { expect, test } from 'vitest';
import { pooledRandom } from '../ids.ts';
import type { CutoffRecord } from '../storage/cutoffs.ts';
import { orderCutoff } from './order.ts';

const NOW = Date.parse('2026-11-21T12:00:00.900Z');

async function notBefore(staleness: number): Promise<number> {
  const deps = { clock: { now: () => NOW }, random: pooledRandom() };
  const cutoffs = {
    append: async (record: Omit<CutoffRecord, 'cursor'>) => ({ ...record, cursor: 1 }),
    after: async () => [],
    byId: async () => undefined,
    ofTarget: async () => [],
    sweepTokens: async () => 0,
    head: async () => 0,
  };
  const ended: object[] = [];
  const statusIndexes = {
    end: async (target: object, at: number) => void ended.push({ ...target, at }),
    allot: async () => undefined,
    valid: async () => [],
    head: async () => 0,
    sweep: async () => 0,
  };
  const order = { kind: 'identity', target: 'payments', reason: 'leak', orderedBy: 'admin' } as const;
  const record = await orderCutoff(deps, { cutoffs, statusIndexes, staleness }, order);
  expect(record.createdAt).toBe(NOW);
  expect(ended).toEqual([{ identity: 'payments', at: NOW }]);
  return record.notBefore;
}

test('an order covers the second that runs, and where nodes share a database what a node may issue unheard', async () => {
  const second = Math.floor(NOW / 1000);
  expect(await notBefore(0)).toBe(second + 1);
  expect(await notBefore(2000)).toBe(second + 4);
  expect(await notBefore(2100)).toBe(second + 5);
});
