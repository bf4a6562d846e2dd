import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AccessRecord } from '../../storage/access.ts';
import {
  accessRecord,
  credentialRecord,
  identityRecord,
  resourceServerRecord,
  T0,
} from '../../storage/contract/records.ts';
import type { Cadence } from '../../storage/identities.ts';
import { inactivityWindow } from '../inactivity.ts';
import { ENOUGH, type UseAnswer } from '../use/answer.ts';
import { NO_DAYS } from '../use/day-map.ts';
import { heldSince } from './read-size.ts';
import { type SizeFacts, type Verdict, verdictsOf } from './verdict.ts';

const DAY = 86_400_000;

interface Scene {
  readonly cadence: Cadence;
  /** Days. */
  readonly identityAge: number;
  readonly accessAge: number;
  readonly coverage: number;
  readonly scopes: readonly { readonly answer: UseAnswer; readonly heldFor: number }[];
  readonly oldestAge: number | undefined;
  readonly lifetime: number;
  readonly idleFor: number | undefined;
}

function factsOf(scene: Scene): SizeFacts {
  const begun = T0 - scene.identityAge * DAY;
  const names = scene.scopes.map((_, place) => `s${place}`);
  const identity = identityRecord({ cadence: scene.cadence, createdAt: begun, stateSince: begun });
  const resourceServer = resourceServerRecord({
    scopes: names.map((name) => ({ name, description: name, sensitivity: 1 })),
  });
  const access = accessRecord(identity.id, resourceServer.id, { scopes: names });
  const window = inactivityWindow(scene.cadence) ?? 0;
  const from = Math.max(T0 - window, T0 - scene.accessAge * DAY);
  const answers = scene.scopes.map(({ answer }) => answer);
  const whole: UseAnswer = answers.includes('used')
    ? 'used'
    : answers.includes('unknown')
      ? 'unknown'
      : 'unused';
  return {
    facts: { identity, credentials: [credentialRecord(identity.id)], access: [{ access, resourceServer }] },
    uses: new Map([
      [
        access.id,
        {
          answer: whole,
          lastOkAt: whole === 'used' ? T0 - DAY : undefined,
          lastDeniedAt: undefined,
          window: { from, to: T0 },
          coverage: scene.coverage,
          scopes: scene.scopes.map(({ answer }, place) => ({
            scope: `s${place}`,
            answer,
            ok: answer === 'used' ? 3 : 0,
            denied: 0,
            lastOkAt: answer === 'used' ? T0 - DAY : undefined,
            lastDeniedAt: undefined,
            days: NO_DAYS,
          })),
          oldestAge: scene.oldestAge,
        },
      ],
    ]),
    heldSince: new Map([
      [access.id, new Map(scene.scopes.map(({ heldFor }, place) => [`s${place}`, T0 - heldFor * DAY]))],
    ]),
    credentialUses: new Map(),
    identityUse: {
      lastUsedAt: scene.idleFor === undefined ? undefined : T0 - scene.idleFor * DAY,
      watchedSince: T0 - 2000 * DAY,
    },
    tokenLifetime: scene.lifetime,
  };
}

const scenes: fc.Arbitrary<Scene> = fc.record({
  cadence: fc.constantFrom('continuous', 'daily', 'weekly', 'monthly', 'quarterly', 'annual', 'on_demand'),
  identityAge: fc.integer({ min: 0, max: 900 }),
  accessAge: fc.integer({ min: 0, max: 900 }),
  coverage: fc.constantFrom(0, 0.5, 0.94, 0.95, 1),
  scopes: fc.array(
    fc.record({
      answer: fc.constantFrom<UseAnswer>('used', 'unused', 'unknown'),
      heldFor: fc.integer({ min: 0, max: 900 }),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  oldestAge: fc.option(fc.integer({ min: 0, max: 700 }), { nil: undefined }),
  lifetime: fc.constantFrom(60, 600, 3600),
  idleFor: fc.option(fc.integer({ min: 0, max: 900 }), { nil: undefined }),
});

test('nothing is proposed but what was not used over a whole window that could be seen', () => {
  fc.assert(
    fc.property(scenes, (scene) => {
      const verdicts = verdictsOf(factsOf(scene), T0);
      const proposed = verdicts.filter(({ answer }) => answer === 'propose');
      const window = inactivityWindow(scene.cadence);
      if (window === undefined || scene.identityAge * DAY < window) expect(proposed).toEqual([]);
      for (const verdict of proposed) requireSound(scene, verdict, window ?? 0);
      for (const { answer, kind, reason } of verdicts) {
        expect(reason).not.toBe('');
        expect(kind === undefined).toBe(answer !== 'propose');
      }
    }),
    { numRuns: 300 },
  );
});

function requireSound(scene: Scene, { kind, change }: Verdict, window: number): void {
  if (kind === 'retire') {
    expect((scene.idleFor ?? Infinity) * DAY).toBeGreaterThan(window);
    return;
  }
  expect(scene.accessAge * DAY).toBeGreaterThanOrEqual(window);
  if (kind === 'shorten') {
    expect(scene.coverage).toBeGreaterThanOrEqual(ENOUGH);
    expect(change.tokenLifetime?.to).toBeGreaterThanOrEqual(2 * (scene.oldestAge ?? Infinity));
    expect(change.tokenLifetime?.to).toBeLessThanOrEqual(scene.lifetime / 2);
    return;
  }
  const [keep, take] = [change.keep ?? [], change.take ?? []];
  expect([...keep, ...take].toSorted()).toEqual(scene.scopes.map((_, place) => `s${place}`));
  expect(take.length).toBeGreaterThan(0);
  expect(keep.length === 0).toBe(kind === 'remove');
  for (const name of take) {
    const scope = scene.scopes[Number(name.slice(1))];
    expect(scope?.answer).toBe('unused');
    expect((scope?.heldFor ?? 0) * DAY).toBeGreaterThanOrEqual(window);
  }
}

test('a scope is held since it was last given, whatever else became of the access', () => {
  const version = (
    day: number,
    scopes: readonly string[],
    state: AccessRecord['state'] = 'active',
  ): AccessRecord => accessRecord('idn', 'rsv', { scopes, state, updatedAt: day });
  const held = (...versions: readonly AccessRecord[]): unknown => Object.fromEntries(heldSince(versions));
  expect(held(version(1, ['a', 'b']), version(2, ['a']), version(3, ['a', 'b']))).toEqual({ a: 1, b: 3 });
  expect(held(version(1, ['a'], 'requested'), version(2, ['a']))).toEqual({ a: 2 });
  expect(held()).toEqual({});
});
