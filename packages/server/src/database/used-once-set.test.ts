import fc from 'fast-check';
import { expect, it } from 'vitest';
import { usedOnceSet } from './used-once-set.ts';

it('answers as a map of expiries would, through many layings out', () => {
  const step = fc.record({
    high: fc.integer({ min: 0, max: 7 }).map((value) => value * 0x1fff_ffff),
    low: fc.integer({ min: 0, max: 3 }),
    life: fc.integer({ min: 0, max: 5 }),
    passes: fc.integer({ min: 0, max: 2 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const set = usedOnceSet();
      const model = new Map<string, number>();
      let now = 1_800_000_000;
      for (const { high, low, life, passes } of steps) {
        now += passes;
        const key = `${high} ${low}`;
        const wanted = (model.get(key) ?? 0) < now;
        if (wanted) model.set(key, now + life);
        expect(set.add(high, low, now + life, now)).toBe(wanted);
      }
    }),
  );
});

it('remembers 100,000 ids and forgets them when they have expired', () => {
  const set = usedOnceSet();
  const ids = Array.from({ length: 100_000 }, (_, at) => [Math.imul(at, 2_654_435_761) >>> 0, at] as const);
  expect(ids.every(([high, low]) => set.add(high, low, 100, 50))).toBe(true);
  expect(ids.some(([high, low]) => set.add(high, low, 100, 100))).toBe(false);
  expect(ids.every(([high, low]) => set.add(high, low, 200, 101))).toBe(true);
});

it('takes nothing more when it is full, and goes on once something has expired', () => {
  const set = usedOnceSet(4096);
  let taken = 0;
  const fill = (): void => {
    for (; taken < 4096; taken++) set.add(taken, taken, 100, 50);
  };
  expect(fill).toThrow('too many proofs');
  expect(taken).toBeGreaterThan(2048);
  expect(fill).toThrow('too many proofs');
  expect(set.add(0, 0, 100, 51)).toBe(false);
  expect(set.add(5000, 5000, 200, 101)).toBe(true);
});
