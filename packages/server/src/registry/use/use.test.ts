import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Span } from '../../storage/usage-coverage.ts';
import { coverageOf, LAG_MS, useIn } from './answer.ts';
import { DAYS_KEPT, dayOf, daysIn, joined, NO_DAYS, withDay } from './day-map.ts';
import { lengthWithin, without } from './spans.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const day = fc.integer({ min: 20_000, max: 21_000 });

describe('a map of days', () => {
  test('is the set of its days, of those that are kept', () => {
    fc.assert(
      fc.property(fc.array(day, { maxLength: 60 }), (days) => {
        const last = Math.max(...days);
        const kept = [...new Set(days)].filter((each) => each > last - DAYS_KEPT).toSorted((a, b) => a - b);
        expect(daysIn(days.reduce(withDay, NO_DAYS))).toEqual(kept);
      }),
    );
  });

  test('joined with another one has the days of both', () => {
    fc.assert(
      fc.property(fc.array(day), fc.array(day), (one, other) => {
        const both = [...one, ...other].reduce(withDay, NO_DAYS);
        expect(joined(one.reduce(withDay, NO_DAYS), other.reduce(withDay, NO_DAYS))).toBe(both);
      }),
    );
  });

  test('takes no more room than 400 bits do', () => {
    const all = Array.from({ length: 1000 }, (_, at) => 20_000 + at).reduce(withDay, NO_DAYS);
    expect(daysIn(all)).toHaveLength(DAYS_KEPT);
    expect(all.length).toBeLessThan(110);
  });
});

describe('spans', () => {
  const span = fc
    .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 20 }))
    .map(([from, length]): Span => ({ from, to: from + length }));

  test('without others are the instants that only they hold', () => {
    const holds = (spans: readonly Span[], at: number): boolean =>
      spans.some(({ from, to }) => from <= at && at < to);
    fc.assert(
      fc.property(fc.array(span), fc.array(span), (spans, others) => {
        const left = without(spans, others);
        let sum = 0;
        for (let at = 0; at < 60; at++) {
          const expected = holds(spans, at) && !holds(others, at);
          expect(holds(left, at)).toBe(expected);
          if (expected) sum++;
        }
        expect(lengthWithin(left, { from: 0, to: 60 })).toBe(sum);
      }),
    );
  });
});

describe('the answer', () => {
  const now = 100 * DAY;
  const window = { from: now - 30 * DAY, to: now };
  const all = { seen: [{ from: now - 60 * DAY, to: now - 60_000 }], missed: [] };

  test('is used from the first instant of the window on, whatever was seen', () => {
    expect(useIn(window, window.from, { seen: [], missed: [] })).toBe('used');
    expect(useIn(window, window.from - 1, all)).toBe('unused');
  });

  test('is unused only where use could have been seen', () => {
    expect(useIn(window, undefined, all)).toBe('unused');
    expect(useIn(window, undefined, { seen: [], missed: [] })).toBe('unknown');
    const since = (from: number) => ({ seen: [{ from, to: now }], missed: [] });
    expect(useIn(window, undefined, since(now - 29 * DAY))).toBe('unused');
    expect(useIn(window, undefined, since(now - 28 * DAY))).toBe('unknown');
  });

  test('a resource server that falls silent makes it unknown within minutes', () => {
    const until = (to: number) => ({ seen: [{ from: now - 60 * DAY, to }], missed: [] });
    expect(useIn(window, undefined, until(now - LAG_MS))).toBe('unused');
    expect(useIn(window, undefined, until(now - LAG_MS - 1))).toBe('unknown');
  });

  test('so does one copy of it that should tell and does not', () => {
    const missed = [{ from: now - 10 * 60_000, to: now }];
    expect(useIn(window, undefined, { ...all, missed })).toBe('unknown');
    expect(useIn(window, undefined, { ...all, missed: [{ from: now - 2 * HOUR, to: now - HOUR }] })).toBe(
      'unused',
    );
    expect(useIn(window, undefined, { ...all, missed: [{ from: now - 9 * DAY, to: now - 7 * DAY }] })).toBe(
      'unknown',
    );
  });

  test('the last minutes count for nothing, and a window of minutes knows nothing', () => {
    expect(
      coverageOf({ from: now - DAY, to: now }, { seen: [{ from: 0, to: now - LAG_MS }], missed: [] }),
    ).toBe(1);
    expect(useIn({ from: now - LAG_MS, to: now }, undefined, all)).toBe('unknown');
  });

  test('a day is one of UTC', () => {
    expect(dayOf(Date.parse('2026-11-29T23:59:59.999Z')) + 1).toBe(dayOf(Date.parse('2026-11-30T00:00:00Z')));
  });
});
