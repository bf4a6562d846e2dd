import type { PolicyRule } from './policy-rule.ts';
import { spanMs } from './span.ts';

export interface Inactivity {
  /** Default 30 days; twice its cadence where that is longer. */
  readonly after?: string | undefined;
}

const DEFAULT_AFTER = '30d';

/** Acts in the round only: enforced, it suspends. Whoever asks for a token is not inactive. */
export const inactivity: PolicyRule<Inactivity> = {
  actsAt: ['round'],
  breaches({ identity, quietSince }, { after = DEFAULT_AFTER }) {
    const { pauseMs } = identity;
    if (quietSince === undefined || pauseMs === undefined) return [];
    const window = Math.max(spanMs(after), 2 * pauseMs);
    const days = Math.round(window / 86_400_000);
    const why = `was not used for ${days} days`;
    return [{ subject: 'identity', subjectId: identity.id, why, from: quietSince + window }];
  },
};
