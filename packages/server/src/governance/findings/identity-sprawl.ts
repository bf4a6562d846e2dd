import { command } from './commands.ts';
import type { Detector } from './detector.ts';

/** From here on it is hard to say which of them does what: replicas share one identity, and each job has a purpose of its own. */
export const MANY_ALIKE = 20;

/** Many identities of one owner for the same purpose in one environment. Found once, at the oldest of them. */
export const identitySprawl: Detector = {
  kind: 'identity_sprawl',
  quietMs: 0,
  observe({ identity }, { alike = [] }) {
    const [oldest] = alike;
    const last = alike.at(-1);
    if (oldest?.id !== identity.id || last === undefined || alike.length <= MANY_ALIKE) return [];
    const { purpose, environment, owner, clientId } = identity;
    return [
      {
        subject: 'identity',
        subjectId: identity.id,
        severity: environment === 'prod' ? 'medium' : 'low',
        reason: `${owner.person} has more than ${MANY_ALIKE} identities in ${environment} for the same purpose, "${purpose.slice(0, 80)}": who needs which nobody can say`,
        fix: command('identities', 'decommission', last.clientId, '--reason', `the same as ${clientId}`),
      },
    ];
  },
};
