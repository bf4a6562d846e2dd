import { command } from './commands.ts';
import type { Detector } from './detector.ts';
import { usableCredentials } from './usable.ts';

/** One, its successor, and room for a move to another method: more than this are not looked after. */
export const MANY_CREDENTIALS = 5;

/** An identity with more credentials that work than anybody looks after. */
export const credentialSprawl: Detector = {
  kind: 'credential_sprawl',
  quietMs: 0,
  observe(facts, { now }) {
    const usable = usableCredentials(facts, now).toSorted((one, other) => one.createdAt - other.createdAt);
    const [oldest] = usable;
    if (oldest === undefined || usable.length <= MANY_CREDENTIALS) return [];
    return [
      {
        subject: 'identity',
        subjectId: facts.identity.id,
        severity: facts.identity.environment === 'prod' ? 'medium' : 'low',
        reason: `has ${usable.length} credentials that work, more than ${MANY_CREDENTIALS}: each is a way in that somebody has to keep`,
        fix: command('credentials', 'revoke', oldest.id),
      },
    ];
  },
};
