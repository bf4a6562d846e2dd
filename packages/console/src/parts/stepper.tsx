import type { IdentityState } from '@countersign/admin-api';
import type { ReactNode } from 'react';
import { IDENTITY_STATE } from '../words/states.ts';

const WAY: readonly IdentityState[] = [
  'draft',
  'requested',
  'approved',
  'active',
  'decommissioning',
  'decommissioned',
];

/** On which step of the way a state is; what stands beside the way is at the step that it was left from. */
const STEP: Readonly<Record<IdentityState, number>> = {
  draft: 0,
  requested: 1,
  rejected: 1,
  approved: 2,
  lapsed: 2,
  active: 3,
  suspended: 3,
  decommissioning: 4,
  decommissioned: 5,
};

/** From draft to decommissioned: what is over, what is now, what is to come. */
export function Stepper({ state }: { state: IdentityState }): ReactNode {
  const at = STEP[state];
  return (
    <ol className="stepper" aria-label="Lifecycle">
      {WAY.map((each, step) => {
        const here = step === at;
        const word = here ? IDENTITY_STATE[state].word : IDENTITY_STATE[each].word;
        const over = step < at;
        return (
          <li
            key={each}
            className={here ? `here state-${IDENTITY_STATE[state].tone}` : over ? 'over' : 'ahead'}
            aria-current={here ? 'step' : undefined}
          >
            <span aria-hidden="true">{here ? IDENTITY_STATE[state].mark : over ? '✓' : '·'}</span>{' '}
            {here || step !== 1 ? word : 'Requested'}
            {over ? <span className="unseen"> (over)</span> : null}
          </li>
        );
      })}
    </ol>
  );
}
