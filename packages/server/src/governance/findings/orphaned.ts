import { isUrgent, suspendsAt } from '../../registry/owner/clock.ts';
import { rfc3339 } from '../../registry/views.ts';
import { command } from './commands.ts';
import type { Detector } from './detector.ts';

/** Its owner has left, and nobody has taken it over: a backup who stands in has not either. */
export const orphaned: Detector = {
  kind: 'orphaned',
  quietMs: 0,
  observe({ identity }, { owners, now }) {
    const clock = owners?.clock;
    const left = owners?.person?.kind === 'person' && owners.person.person.status === 'left';
    if (clock === undefined && !left) return [];
    const who = clock?.person ?? identity.owner.person;
    const stands = clock?.interim === undefined ? 'nobody stands in' : `${clock.interim} stands in`;
    const end = clock && suspendsAt(clock, identity);
    const threat =
      end === undefined ? '' : `; suspended on ${rfc3339(end).slice(0, 10)} if nobody takes it over`;
    const urgent = clock !== undefined && isUrgent(clock, identity, now);
    const next = clock?.interim ?? 'PERSON';
    return [
      {
        subject: 'identity',
        subjectId: identity.id,
        severity: urgent ? 'high' : 'medium',
        reason: `its owner ${who} has left, and ${stands}${threat}`,
        fix: command('identities', 'update', identity.clientId, '--owner', next),
      },
    ];
  },
};
