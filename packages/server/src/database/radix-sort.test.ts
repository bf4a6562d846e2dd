import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sortByKey } from './radix-sort.ts';

it('sorts by key and keeps the order of equal keys', () => {
  const key = fc.oneof(fc.nat({ max: 5 }), fc.integer({ min: 0, max: 0xffffffff }));
  fc.assert(
    fc.property(fc.array(key, { maxLength: 300 }), (keys) => {
      const expected = keys.map((value, place) => ({ value, place })).sort((a, b) => a.value - b.value);
      const sorted = sortByKey(
        Uint32Array.from(keys),
        Uint16Array.from(keys, (_, place) => place),
      );
      expect([...sorted.keys]).toEqual(expected.map(({ value }) => value));
      expect([...sorted.places]).toEqual(expected.map(({ place }) => place));
    }),
  );
});
