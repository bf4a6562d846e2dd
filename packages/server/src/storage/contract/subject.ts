import type { Clock } from '../../clock.ts';
import type { Storage } from '../storage.ts';
import { T0 } from './records.ts';

/** A clock that tests set. */
export interface TestClock extends Clock {
  set(now: number): void;
}

/** What each part of the suite works on: one empty storage for all of its tests, and the clock that it was given. */
export interface Subject {
  storage(): Storage;
  readonly clock: TestClock;
}

export function testClock(): TestClock {
  let now = T0;
  return {
    now: () => now,
    set: (next) => {
      now = next;
    },
  };
}
