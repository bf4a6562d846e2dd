import type { Observation } from '../../registry/finding.ts';
import type { AccessRecord } from '../../storage/access.ts';
import { command } from './commands.ts';
import type { Detector } from './detector.ts';
import { usableAccess, usableCredentials } from './usable.ts';

/**
 * A credential of an identity that held more of the admin API before it was made, and holds it again. Who makes one needs
 * what it opens (registry/own-access.ts): narrowed for a moment, an identity can be given one by somebody who holds less.
 */
export const credentialMadeWhileNarrowed: Detector = {
  kind: 'credential_made_while_narrowed',
  quietMs: 0,
  observe(facts, { now, adminHistory = [] }) {
    const own = usableAccess(facts, now).find(({ resourceServer }) => resourceServer.builtIn);
    if (own === undefined) return [];
    return usableCredentials(facts, now).flatMap((credential): readonly Observation[] => {
      const { id, createdAt, updatedAt, material } = credential;
      const made = gainedSince(adminHistory, own.access, createdAt);
      const gained = made.length > 0 ? made : gainedSince(adminHistory, own.access, updatedAt);
      if (gained.length === 0) return [];
      const at = new Date(made.length > 0 ? createdAt : updatedAt).toISOString();
      return [
        {
          subject: 'credential',
          subjectId: id,
          severity: 'high',
          reason:
            `${material.type} was ${made.length > 0 ? 'made' : 'changed'} at ${at}, while its identity lacked ` +
            `${gained.join(' ')} of the admin API: who did so needed less than it opens now`,
          fix: command('credentials', 'revoke', id),
        },
      ];
    });
  },
};

/** What the access opens now, and before `at`, but not at that instant. */
function gainedSince(history: readonly AccessRecord[], present: AccessRecord, at: number): readonly string[] {
  const before = history.filter(({ updatedAt }) => updatedAt <= at);
  const held = before.at(-1);
  const then = held?.state === 'active' && held.expiresAt > at ? held.scopes : [];
  const ever = new Set(before.filter(({ state }) => state === 'active').flatMap(({ scopes }) => scopes));
  return present.scopes.filter((scope) => ever.has(scope) && !then.includes(scope));
}
