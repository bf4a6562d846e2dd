import type { FindingSeverity } from '../../storage/findings.ts';
import type { Environment } from '../../storage/identities.ts';
import { addSuccessor } from './commands.ts';
import type { Detector } from './detector.ts';
import { usableCredentials } from './usable.ts';

const SEVERITY: { readonly [environment in Environment]: FindingSeverity } = {
  dev: 'low',
  test: 'low',
  staging: 'medium',
  prod: 'high',
};
const MOST_NAMED = 5;

/** A public key that another identity has registered too: whoever holds its private key is both. */
export const sharedKey: Detector = {
  kind: 'shared_key',
  quietMs: 0,

  observe(facts, { now, keySharers }) {
    const { environment, clientId } = facts.identity;
    return usableCredentials(facts, now).flatMap((credential) => {
      const others = keySharers.get(credential.id) ?? [];
      if (others.length === 0) return [];
      const named = others.toSorted().slice(0, MOST_NAMED).join(', ');
      const more = others.length > MOST_NAMED ? ` and ${others.length - MOST_NAMED} more` : '';
      return [
        {
          subject: 'credential' as const,
          subjectId: credential.id,
          severity: SEVERITY[environment],
          reason: `its public key is registered for ${named}${more} too: whoever has the private key can be each of them, and no log can tell which it was`,
          fix: addSuccessor(clientId, credential),
        },
      ];
    });
  },
};
