import { command } from './commands.ts';
import type { Detector } from './detector.ts';

/** The team that it belongs to has nobody left in it. */
export const teamEmptied: Detector = {
  kind: 'team_emptied',
  quietMs: 0,
  observe({ identity }, { owners }) {
    if (owners?.team?.kind !== 'team' || owners.teamLiving > 0) return [];
    const { name } = owners.team.team;
    return [
      {
        subject: 'identity',
        subjectId: identity.id,
        severity: 'medium',
        reason: `nobody is left in its team ${name}`,
        fix: command('teams', 'update', name, '--member', 'PERSON'),
      },
    ];
  },
};
