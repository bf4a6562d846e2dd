import { expect, test } from 'vitest';
import { credentialRecord, identityRecord, T0 } from '../../storage/contract/records.ts';
import type { InstanceProgress, RotationProgress } from '../../registry/rotation/progress.ts';
import { NOTHING_TOLD } from '../../registry/use/told-of-use.ts';
import { oldCredential } from './old-credential.ts';
import type { Detector, RotationSeen } from './detector.ts';
import { rotationStalled } from './rotation-stalled.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const SINCE = T0 + 10 * DAY;

const identity = identityRecord({ clientId: 'payments', expiresAt: T0 + 400 * DAY });
const successor = credentialRecord(identity.id, { id: 'crd_new', expiresAt: T0 + 90 * DAY });
const old = credentialRecord(identity.id, {
  id: 'crd_old',
  expiresAt: SINCE + 30 * DAY,
  successor: { id: successor.id, since: SINCE },
});

function instance(name: string, state: InstanceProgress['state']): InstanceProgress {
  return {
    instance: name,
    state,
    source: '10.0.0.7',
    firstSeen: SINCE,
    lastWithOld: SINCE + HOUR,
    lastWithNew: undefined,
  };
}

function observe(
  now: number,
  change: Partial<RotationProgress> = {},
  by: RotationSeen['by'] = 'administration',
  detector: Detector = rotationStalled,
) {
  const progress: RotationProgress = {
    state: 'moving',
    window: 2 * DAY,
    instances: [instance('one', 'moved'), instance('two', 'waiting')],
    successorUsed: true,
    unseenUntil: T0,
    quietFrom: T0,
    ...change,
  };
  return detector.observe(
    { identity, credentials: [old, successor], access: [] },
    {
      now,
      maximumAge: () => 90 * DAY,
      suspendedForMs: 30 * DAY,
      paces: new Map(),
      keySharers: new Map(),
      ...NOTHING_TOLD,
      silentWebhooks: [],
      rotations: new Map([[old.id, { progress, by }]]),
    },
  );
}

test('nobody is late before a window has passed', () => {
  expect(observe(SINCE + 2 * DAY - 1)).toEqual([]);
  expect(observe(SINCE + 2 * DAY)).toMatchObject([
    {
      subject: 'credential',
      subjectId: 'crd_old',
      severity: 'medium',
      fix: 'countersign credentials rotation crd_old',
    },
  ]);
});

test('the reason names who has not moved, and from where it was seen', () => {
  const [found] = observe(SINCE + 3 * DAY);
  expect(found?.reason).toContain('1 of 2 have not moved to crd_new: two at 10.0.0.7');
  const many = Array.from({ length: 8 }, (_, at) => instance(`i${at}`, 'waiting'));
  expect(observe(SINCE + 3 * DAY, { instances: many })[0]?.reason).toMatch(/i4 .* and 3 more$/);
  expect(observe(SINCE + 3 * DAY, { instances: [instance('', 'unknown')] })[0]?.reason).toContain(
    'one that does not say which it is',
  );
});

test('a successor that nobody uses is one that nobody was told of', () => {
  expect(observe(SINCE + 3 * DAY, { instances: [], successorUsed: false })[0]?.reason).toContain(
    'nobody has used its successor yet',
  );
  expect(observe(SINCE + 3 * DAY, { instances: [] })).toEqual([]);
});

test('shortly before the end there is only time to give more time', () => {
  expect(observe(SINCE + 27 * DAY)).toMatchObject([
    { severity: 'high', fix: 'countersign credentials update crd_old --for 14d' },
  ]);
});

test('of one that rotated itself the rightful copies follow at once, or the key is in wrong hands', () => {
  expect(observe(SINCE + 2 * HOUR - 1, {}, 'itself')).toEqual([]);
  const [found] = observe(SINCE + 2 * HOUR, {}, 'itself');
  expect(found).toMatchObject({ severity: 'high' });
  expect(found?.reason).toContain('its key is in wrong hands');
  expect(found?.fix).toBe(
    "countersign cutoffs create --kind credential --id crd_old --reason 'rotated by a stranger'",
  );
});

test('a rotation whose successor is gone is begun anew', () => {
  expect(observe(SINCE + 1, { state: 'broken' })).toMatchObject([
    { severity: 'high', fix: 'countersign credentials rotate crd_old --secret-file payments-next.secret' },
  ]);
});

test('one that is ready or over is nobody’s business', () => {
  expect(observe(SINCE + 9 * DAY, { state: 'ready' })).toEqual([]);
  expect(observe(SINCE + 9 * DAY, { state: 'over' })).toEqual([]);
});

test('while it is being replaced its age and its end are no finding of their own', () => {
  expect(observe(SINCE + 29 * DAY, {}, 'administration', oldCredential)).toEqual([]);
});
