import { inactivityWindow } from '../../registry/inactivity.ts';
import { command } from './commands.ts';
import type { Detector } from './detector.ts';
import { usableCredentials } from './usable.ts';

const DAY_MS = 86_400_000;

/** A credential that proved nobody in a whole window, or never, beside others of its identity: it is only there to be stolen. */
export const unusedCredential: Detector = {
  kind: 'unused_credential',
  quietMs: 0,
  observe(facts, { now, credentialUses }) {
    const { environment, cadence, builtIn } = facts.identity;
    const window = inactivityWindow(cadence);
    if (window === undefined || builtIn) return [];
    return usableCredentials(facts, now).flatMap(({ id, createdAt, updatedAt, material }) => {
      const use = credentialUses?.get(id);
      if (use?.state !== 'unused' || Math.max(createdAt, updatedAt) > now - window) return [];
      const last = use.last_used === null ? 'never' : `last on ${use.last_used.slice(0, 10)}`;
      return [
        {
          subject: 'credential' as const,
          subjectId: id,
          severity: environment === 'prod' ? ('medium' as const) : ('low' as const),
          reason: `its ${material.type} was not used for ${Math.round(window / DAY_MS)} days (${last}), and works still`,
          fix: command('credentials', 'revoke', id),
        },
      ];
    });
  },
};
