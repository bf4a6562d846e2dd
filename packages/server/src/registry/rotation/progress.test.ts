import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CredentialInstance } from '../../storage/credential-instances.ts';
import { credentialRecord, T0 } from '../../storage/contract/records.ts';
import { KEPT_MS } from '../use/credential-instances.ts';
import { rotationProgress, type RotationFacts, rotationWindow } from './progress.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const next = credentialRecord('idn_1', {
  id: 'crd_new',
  predecessor: { id: 'crd_old', by: 'administration' },
});
const old = credentialRecord('idn_1', {
  id: 'crd_old',
  createdAt: T0,
  expiresAt: T0 + 60 * DAY,
  successor: { id: next.id, since: T0 + 30 * DAY },
});
const SINCE = T0 + 30 * DAY;

function seen(instance: string, lastAt: number): CredentialInstance {
  return { credentialId: '', instance, source: '10.0.0.1', firstAt: lastAt, lastAt };
}

function progress(now: number, change: Partial<RotationFacts> = {}) {
  return rotationProgress(
    {
      identity: { cadence: 'continuous' },
      old,
      successor: next,
      seenWithOld: [seen('a', SINCE + HOUR)],
      seenWithNew: [seen('a', SINCE + 2 * HOUR)],
      seenSince: T0 - DAY,
      longestToken: 3600,
      ...change,
    },
    now,
  );
}

describe('a rotation', () => {
  test('is over as soon as everybody has moved and no token of the old one is left', () => {
    const quiet = SINCE + HOUR + HOUR + 22 * MINUTE;
    expect(progress(quiet - 1).state).toBe('moving');
    expect(progress(quiet).state).toBe('ready');
  });

  test('waits for whoever has not moved, and for whoever went back', () => {
    const now = SINCE + DAY;
    const both = [seen('a', SINCE + HOUR), seen('b', SINCE + HOUR)];
    expect(progress(now, { seenWithOld: both }).instances).toMatchObject([
      { instance: 'a', state: 'moved' },
      { instance: 'b', state: 'waiting' },
    ]);
    expect(progress(now, { seenWithOld: both }).state).toBe('moving');
    expect(progress(now, { seenWithOld: [seen('a', SINCE + 3 * HOUR)] }).state).toBe('moving');
  });

  test('takes a name that goes on using both for several copies, of which nobody knows who has moved', () => {
    // Whoever holds the new one may call itself as it likes: also like one that has not moved.
    const withOld = [seen('a', SINCE + 5 * HOUR)];
    const firstAt = SINCE + 5 * HOUR - 2 * 11 * MINUTE;
    const withNew = (first: number) => [{ ...seen('a', SINCE + 6 * HOUR), firstAt: first }];
    const seenBoth = (first: number, now: number) =>
      progress(now, { seenWithOld: withOld, seenWithNew: withNew(first) });
    expect(seenBoth(firstAt, SINCE + DAY)).toMatchObject({ state: 'ready', instances: [{ state: 'moved' }] });
    const both = seenBoth(firstAt - 1, SINCE + DAY);
    expect(both).toMatchObject({ state: 'moving', instances: [{ state: 'unknown' }] });
    expect(seenBoth(firstAt - 1, SINCE + 5 * HOUR + 2 * DAY).state).toBe('ready');
  });

  test('does not wait for ever: who was not seen with the old one for a window is gone', () => {
    const seenWithOld = [seen('a', SINCE + HOUR), seen('gone', SINCE - HOUR)];
    expect(progress(SINCE + 40 * HOUR, { seenWithOld }).state).toBe('moving');
    expect(progress(SINCE - HOUR + 2 * DAY, { seenWithOld }).state).toBe('ready');
  });

  test('takes nobody who does not say who it is for somebody who has moved', () => {
    for (const name of ['', '*']) {
      const facts = { seenWithOld: [seen(name, SINCE + HOUR)], seenWithNew: [seen(name, SINCE + 2 * HOUR)] };
      expect(progress(SINCE + DAY, facts).instances[0]?.state).toBe('unknown');
      expect(progress(SINCE + DAY, facts).state).toBe('moving');
      expect(progress(SINCE + HOUR + 2 * DAY, facts).state).toBe('ready');
    }
  });

  test('is not over before somebody was seen with the successor', () => {
    expect(progress(SINCE + 20 * DAY, { seenWithNew: [] }).state).toBe('moving');
  });

  test('says nothing of what could not have been seen', () => {
    expect(progress(SINCE + DAY, { seenSince: undefined }).state).toBe('moving');
    const late = SINCE - HOUR;
    expect(progress(late + 2 * DAY - 1, { seenSince: late }).state).toBe('moving');
    expect(progress(late + 2 * DAY, { seenSince: late }).state).toBe('ready');
    // It never existed unseen.
    expect(progress(SINCE + DAY, { seenSince: T0 }).state).toBe('ready');
  });

  test('of one that calls when it likes ends with the overlap and not before', () => {
    const identity = { cadence: 'on_demand' } as const;
    expect(progress(SINCE + 20 * DAY, { identity }).state).toBe('moving');
    expect(progress(old.expiresAt, { identity }).state).toBe('over');
  });

  test('without a successor that works is broken', () => {
    expect(progress(SINCE + DAY, { successor: undefined }).state).toBe('broken');
  });
});

test('what is known of an instance is kept for as long as it could matter', () => {
  for (const [cadence, kept] of Object.entries(KEPT_MS)) {
    expect(kept).toBeGreaterThanOrEqual(rotationWindow(cadence as keyof typeof KEPT_MS) ?? 0);
  }
});

type Step =
  | { readonly do: 'use'; readonly who: number; readonly with: 'old' | 'new' }
  | { readonly do: 'wait'; readonly minutes: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('use' as const),
    who: fc.integer({ min: 0, max: 3 }),
    with: fc.constantFrom('old' as const, 'new' as const),
  }),
  fc.record({ do: fc.constant('wait' as const), minutes: fc.integer({ min: 1, max: 600 }) }),
);

test('whatever happens: nobody who used the old one last, within the window, is cut off before the overlap is over', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let now = SINCE;
      const withOld = new Map<number, number>();
      const withNew = new Map<number, number>();
      for (const each of steps) {
        if (each.do === 'wait') now += each.minutes * MINUTE;
        else (each.with === 'old' ? withOld : withNew).set(each.who, now);
        const rows = (uses: ReadonlyMap<number, number>) => [...uses].map(([who, at]) => seen(`i${who}`, at));
        const found = progress(now, { seenWithOld: rows(withOld), seenWithNew: rows(withNew) });
        const window = rotationWindow('continuous') ?? 0;
        const depends = [...withOld].filter(
          ([who, at]) => at > now - window && !((withNew.get(who) ?? 0) > at),
        );
        const tokens = [...withOld.values()].some((at) => at + HOUR > now);
        if (depends.length > 0 || tokens || withNew.size === 0) expect(found.state).toBe('moving');
        expect(found.instances.filter(({ state }) => state === 'waiting').length).toBe(depends.length);
        const longQuiet =
          [...withOld.values()].every((at) => at + 2 * HOUR <= now) && now >= SINCE + 2 * HOUR;
        if (depends.length === 0 && longQuiet && withNew.size > 0) expect(found.state).toBe('ready');
      }
    }),
    { numRuns: 50 },
  );
});
