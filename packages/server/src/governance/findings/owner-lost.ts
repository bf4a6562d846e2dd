import { sameHandle } from '../../registry/directory/handle.ts';
import { command } from './commands.ts';
import type { Detector } from './detector.ts';

/** It was offered to somebody, their manager and the lead of its team, and nobody took it. */
export const ownerLost: Detector = {
  kind: 'owner_lost',
  quietMs: 0,
  observe({ identity }, { owners }) {
    const offer = owners?.offer;
    if (offer?.state !== 'lost') return [];
    const accountable = owners?.clock?.person ?? identity.owner.person;
    if (!sameHandle(accountable, offer.from)) return [];
    return [
      {
        subject: 'identity',
        subjectId: identity.id,
        severity: 'high',
        reason: `offered to ${offer.to}, and nobody took it over from ${offer.from}`,
        fix: command('identities', 'update', identity.clientId, '--owner', 'PERSON'),
      },
    ];
  },
};
