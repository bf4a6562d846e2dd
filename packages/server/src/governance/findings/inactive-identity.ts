import { activityOf, inactivityWindow, staysWhenInactive } from '../../registry/inactivity.ts';
import { command } from './commands.ts';
import type { Detector } from './detector.ts';

const DAY_MS = 86_400_000;

/** Was not used for longer than it should be quiet, where use would have been seen, and is not stopped for it by itself. */
export const inactiveIdentity: Detector = {
  kind: 'inactive_identity',
  quietMs: 0,
  observe({ identity }, { now, inactivity }) {
    if (inactivity === undefined || identity.state !== 'active') return [];
    if (inactivity.mode === 'suspend' && !staysWhenInactive(identity)) return [];
    if (activityOf(identity, inactivity.use, now) !== 'unused') return [];
    const days = Math.round((inactivityWindow(identity.cadence) ?? 0) / DAY_MS);
    const { lastUsedAt } = inactivity.use;
    const last =
      lastUsedAt === undefined ? 'never' : `last on ${new Date(lastUsedAt).toISOString().slice(0, 10)}`;
    return [
      {
        subject: 'identity',
        subjectId: identity.id,
        severity: identity.sensitivity === 3 || identity.builtIn ? 'high' : 'medium',
        reason: `was not used for ${days} days (${last}), which is longer than its cadence ${identity.cadence} explains`,
        fix: command('identities', 'suspend', identity.clientId, '--reason', 'inactive'),
      },
    ];
  },
};
