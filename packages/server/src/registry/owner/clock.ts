import type { IdentityRecord } from '../../storage/identities.ts';
import type { OwnershipClockRecord } from '../../storage/ownership-clocks.ts';

/** What happens to an identity whose owner has left, and on which day; nothing is skipped, whatever was missed. */
export type ClockStep = 'notice' | 'manager' | 'overdue' | 'suspend';

const DAY_MS = 86_400_000;
const STEPS: readonly { readonly step: ClockStep; readonly afterMs: number }[] = [
  { step: 'notice', afterMs: 0 },
  { step: 'manager', afterMs: 3 * DAY_MS },
  { step: 'overdue', afterMs: 7 * DAY_MS },
  { step: 'suspend', afterMs: 14 * DAY_MS },
];
/** Of sensitivity from here on nothing is suspended by itself: what stops then may be worse. It is escalated early. */
const NEVER_SUSPENDED = 3;
/** Later than every instant; exact as a double. */
const FOREVER = Number.MAX_SAFE_INTEGER;

/** A clock that begins at `startedAt` (epoch ms), before its first step. */
export function newClock(
  of: Pick<OwnershipClockRecord, 'identityId' | 'person' | 'backup' | 'interim'>,
  startedAt: number,
): OwnershipClockRecord {
  return { ...of, startedAt, taken: 0, nextAt: startedAt, version: 1 };
}

/** The steps that are due at `now` (epoch ms), in their order. */
export function dueSteps({ startedAt, taken }: OwnershipClockRecord, now: number): readonly ClockStep[] {
  return STEPS.slice(taken)
    .filter(({ afterMs }) => startedAt + afterMs <= now)
    .map(({ step }) => step);
}

/** The clock after its next `steps` were taken. */
export function afterSteps(clock: OwnershipClockRecord, steps: number): OwnershipClockRecord {
  const taken = clock.taken + steps;
  const next = STEPS[taken];
  return {
    ...clock,
    taken,
    nextAt: next === undefined ? FOREVER : clock.startedAt + next.afterMs,
    version: clock.version + 1,
  };
}

export function hasRunOut({ taken }: Pick<OwnershipClockRecord, 'taken'>): boolean {
  return taken >= STEPS.length;
}

/** When the identity is suspended unless somebody takes it over (epoch ms); undefined: it is not suspended by itself. */
export function suspendsAt(
  { startedAt }: Pick<OwnershipClockRecord, 'startedAt'>,
  identity: Pick<IdentityRecord, 'sensitivity' | 'builtIn'>,
): number | undefined {
  return maySuspend(identity) ? startedAt + 14 * DAY_MS : undefined;
}

export function maySuspend({
  sensitivity,
  builtIn,
}: Pick<IdentityRecord, 'sensitivity' | 'builtIn'>): boolean {
  return !builtIn && sensitivity < NEVER_SUSPENDED;
}

/** Whether it has become urgent at `now`: from day 7, or from day 3 what is not suspended by itself. */
export function isUrgent(
  clock: Pick<OwnershipClockRecord, 'startedAt'>,
  identity: Pick<IdentityRecord, 'sensitivity' | 'builtIn'>,
  now: number,
): boolean {
  return now >= clock.startedAt + (maySuspend(identity) ? 7 : 3) * DAY_MS;
}
