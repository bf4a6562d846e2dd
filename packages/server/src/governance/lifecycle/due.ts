import { type DueStep, dueStep } from '../../registry/decommissioning.ts';
import type { Move } from '../../registry/lifecycle.ts';
import type { IdentityRecord, IdentityState } from '../../storage/identities.ts';

const DAY_MS = 86_400_000;
/** For how long a request for approval stands, and for how long an approval is good. */
export const REQUEST_STANDS_MS: number = 7 * DAY_MS;
export const APPROVAL_STANDS_MS: number = 14 * DAY_MS;

/** What time does to identities of one state: by which of their instants, and how long after it. */
export interface Clocked {
  readonly state: IdentityState;
  readonly by: 'expiresAt' | 'stateSince' | 'plan';
  readonly waited: number;
}

/** All that time does; each is found through an index. */
export const CLOCKED: readonly Clocked[] = [
  { state: 'active', by: 'expiresAt', waited: 0 },
  { state: 'draft', by: 'expiresAt', waited: 0 },
  { state: 'requested', by: 'stateSince', waited: REQUEST_STANDS_MS },
  { state: 'requested', by: 'expiresAt', waited: 0 },
  { state: 'approved', by: 'stateSince', waited: APPROVAL_STANDS_MS },
  { state: 'approved', by: 'expiresAt', waited: 0 },
  { state: 'decommissioning', by: 'plan', waited: 0 },
];

/** What is to be done with an identity because of the time: a move with its reason, or the next brown-out of its plan. */
export type DueAct = { readonly move: Move; readonly reason: string } | 'brown_out';

const PLAN_STEPS: { readonly [step in DueStep]: DueAct } = {
  brown_out: 'brown_out',
  stop: { move: 'stop', reason: 'its time to be stopped, as announced' },
  finish: { move: 'finish', reason: 'the time for second thoughts is over' },
};

const BEFORE_WORK = 'its end came before it was put to work';

/**
 * What is due for this identity at `now` (epoch ms); undefined: nothing. One thing at a time: after it, it is asked again. Pure,
 * so that a job that missed days does what it missed, each once.
 */
export function due(record: IdentityRecord, now: number): DueAct | undefined {
  const ended = record.expiresAt <= now;
  const waited = now - record.stateSince;
  switch (record.state) {
    case 'active':
      return ended ? { move: 'suspend', reason: 'expired' } : undefined;
    case 'draft':
      return ended ? { move: 'lapse', reason: BEFORE_WORK } : undefined;
    case 'requested':
      if (waited >= REQUEST_STANDS_MS) return { move: 'time_out', reason: 'nobody decided within 7 days' };
      return ended ? { move: 'time_out', reason: BEFORE_WORK } : undefined;
    case 'approved':
      if (waited >= APPROVAL_STANDS_MS) return { move: 'lapse', reason: 'approved and not used for 14 days' };
      return ended ? { move: 'lapse', reason: BEFORE_WORK } : undefined;
    case 'decommissioning': {
      const step = dueStep(record, now);
      return step && PLAN_STEPS[step];
    }
    case 'suspended':
    case 'decommissioned':
    case 'rejected':
    case 'lapsed':
      return undefined;
  }
}
