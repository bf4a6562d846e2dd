import type { PolicyRule } from './policy-rule.ts';
import { spanMs } from './span.ts';

export interface ReviewCadence {
  readonly every: string;
  /** Only accesses with a scope that is at least so sensitive. */
  readonly min_sensitivity?: number | undefined;
}

/** Acts at issuance and in the round: what was just decided is not overdue. */
export const reviewCadence: PolicyRule<ReviewCadence> = {
  actsAt: ['issuance', 'round'],
  breaches({ access }, { every, min_sensitivity: least = 0 }) {
    return access
      .filter(({ scopes }) => scopes.some(({ sensitivity }) => sensitivity >= least))
      .map(({ id, decidedAt }) => ({
        subject: 'access',
        subjectId: id,
        why: `was not looked at for ${every}`,
        from: decidedAt + spanMs(every) + 1,
      }));
  },
  leastSensitivity: ({ min_sensitivity: least = 0 }) => least,
};
