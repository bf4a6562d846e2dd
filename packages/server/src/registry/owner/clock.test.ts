import fc from 'fast-check';
import { expect, test } from 'vitest';
import { afterSteps, dueSteps, hasRunOut, isUrgent, newClock, suspendsAt } from './clock.ts';

const DAY = 86_400_000;
const START = 1_800_000_000_000;
const clock = newClock({ identityId: 'idn_1', person: 'ada', backup: undefined, interim: undefined }, START);
const usual = { sensitivity: 2, builtIn: false };
const critical = { sensitivity: 3, builtIn: false };

test('on day 0 it is told, on day 3 the manager hears, on day 7 it is overdue, on day 14 it is suspended', () => {
  expect(dueSteps(clock, START - 1)).toEqual([]);
  expect(dueSteps(clock, START)).toEqual(['notice']);
  expect(dueSteps(clock, START + 3 * DAY - 1)).toEqual(['notice']);
  expect(dueSteps(clock, START + 3 * DAY)).toEqual(['notice', 'manager']);
  expect(dueSteps(clock, START + 7 * DAY)).toEqual(['notice', 'manager', 'overdue']);
  expect(dueSteps(clock, START + 14 * DAY - 1)).toEqual(['notice', 'manager', 'overdue']);
  expect(dueSteps(clock, START + 14 * DAY)).toEqual(['notice', 'manager', 'overdue', 'suspend']);
});

test('whatever days are missed, each step is taken once and in its order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 6 * DAY }), { minLength: 1, maxLength: 12 }), (waits) => {
      let now = START;
      let state = clock;
      const taken: string[] = [];
      for (const wait of waits) {
        now += wait;
        const steps = dueSteps(state, now);
        // The index of the database finds exactly those with something to do.
        expect(steps.length > 0).toBe(state.nextAt <= now);
        if (steps.length > 0) state = afterSteps(state, steps.length);
        taken.push(...steps);
        expect(dueSteps(state, now)).toEqual([]);
      }
      expect(taken).toEqual(dueSteps(clock, now));
      expect(hasRunOut(state)).toBe(now >= START + 14 * DAY);
    }),
  );
});

test('what is most sensitive, and what is built in, is never suspended by itself, and is urgent early', () => {
  expect(suspendsAt(clock, usual)).toBe(START + 14 * DAY);
  expect(suspendsAt(clock, critical)).toBeUndefined();
  expect(suspendsAt(clock, { sensitivity: 0, builtIn: true })).toBeUndefined();
  for (const [identity, day] of [
    [usual, 7],
    [critical, 3],
  ] as const) {
    expect(isUrgent(clock, identity, START + day * DAY - 1)).toBe(false);
    expect(isUrgent(clock, identity, START + day * DAY)).toBe(true);
  }
});
