import { expect, test } from 'vitest';
import { identityRecord, T0 } from '../../storage/contract/records.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import { NOTHING_TOLD } from '../../registry/use/told-of-use.ts';
import type { Circumstances } from './detector.ts';
import { inactiveIdentity } from './inactive-identity.ts';
import { longSuspended } from './long-suspended.ts';
import { stepsFor } from './reconcile.ts';

const DAY = 86_400_000;

function kinds(
  change: Partial<IdentityRecord>,
  circumstances: Partial<Circumstances> = {},
): readonly string[] {
  const identity = identityRecord({ expiresAt: T0 + 900 * DAY, ...change });
  const steps = stepsFor([inactiveIdentity, longSuspended], { identity, credentials: [], access: [] }, [], {
    now: T0 + 100 * DAY,
    maximumAge: () => 90 * DAY,
    suspendedForMs: 30 * DAY,
    silentWebhooks: [],
    paces: new Map(),
    keySharers: new Map(),
    inactivity: { mode: 'suspend', use: { lastUsedAt: T0 + DAY, watchedSince: T0 } },
    ...NOTHING_TOLD,
    ...circumstances,
  });
  return steps.map((step) => (step.kind === 'open' ? `${step.of} ${step.observed.severity}` : step.kind));
}

test('who is never suspended by itself is a finding when it is inactive', () => {
  expect(kinds({ sensitivity: 3 })).toEqual(['inactive_identity high']);
  expect(kinds({ builtIn: true })).toEqual(['inactive_identity high']);
  expect(kinds({})).toEqual([]);
  const report = { mode: 'report', use: { lastUsedAt: undefined, watchedSince: T0 } } as const;
  expect(kinds({}, { inactivity: report })).toEqual(['inactive_identity medium']);
  const lately = { mode: 'suspend', use: { lastUsedAt: T0 + 90 * DAY, watchedSince: T0 } } as const;
  expect(kinds({ sensitivity: 3 }, { inactivity: lately })).toEqual([]);
  const unseen = { mode: 'suspend', use: { lastUsedAt: undefined, watchedSince: T0 + 90 * DAY } } as const;
  expect(kinds({ sensitivity: 3 }, { inactivity: unseen })).toEqual([]);
});

test('who is suspended for long should be ended, also past its end; it is never done by itself', () => {
  expect(kinds({ state: 'suspended', stateSince: T0 + 70 * DAY })).toEqual(['long_suspended low']);
  expect(kinds({ state: 'suspended', stateSince: T0 + 70 * DAY, expiresAt: T0 + DAY })).toEqual([
    'long_suspended low',
  ]);
  expect(kinds({ state: 'suspended', stateSince: T0 + 71 * DAY })).toEqual([]);
});
