import { command } from './commands.ts';
import type { Detector } from './detector.ts';

const DAY_MS = 86_400_000;

/** Suspended for so long that nobody seems to miss it. It is never ended by itself: somebody has to say so. */
export const longSuspended: Detector = {
  kind: 'long_suspended',
  quietMs: 0,
  pastItsEnd: true,
  observe({ identity }, { now, suspendedForMs }) {
    if (identity.state !== 'suspended' || identity.builtIn) return [];
    if (now - identity.stateSince < suspendedForMs) return [];
    const since = new Date(identity.stateSince).toISOString().slice(0, 10);
    const why = identity.stateReason === undefined ? '' : ` (${identity.stateReason})`;
    return [
      {
        subject: 'identity',
        subjectId: identity.id,
        severity: 'low',
        // Not for how many days: that would be news every day.
        reason: `has been suspended since ${since}${why}, longer than ${Math.round(suspendedForMs / DAY_MS)} days: it is not missed`,
        fix: command(
          'identities',
          'decommission',
          identity.clientId,
          '--reason',
          `suspended since ${since} and not missed`,
        ),
      },
    ];
  },
};
