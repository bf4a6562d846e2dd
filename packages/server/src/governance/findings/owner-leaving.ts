import { command } from './commands.ts';
import type { Detector } from './detector.ts';

/** Its owner is about to leave: the time to hand it over is now. */
export const ownerLeaving: Detector = {
  kind: 'owner_leaving',
  quietMs: 0,
  observe({ identity }, { owners }) {
    const named = owners?.person;
    if (named?.kind !== 'person' || named.person.status !== 'leaving') return [];
    const { handle } = named.person;
    return [
      {
        subject: 'identity',
        subjectId: identity.id,
        severity: 'medium',
        reason: `its owner ${handle} is leaving`,
        fix: command('people', 'hand-over', handle, '--to', 'PERSON'),
      },
    ];
  },
};
