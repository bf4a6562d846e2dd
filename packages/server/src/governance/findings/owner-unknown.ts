import { command } from './commands.ts';
import type { Detector } from './detector.ts';

/** The owner names somebody that the directory does not know: nobody would notice that they left. */
export const ownerUnknown: Detector = {
  kind: 'owner_unknown',
  quietMs: 0,
  observe({ identity }, { owners }) {
    if (owners === undefined) return [];
    const { person, backup, team } = identity.owner;
    const unknown = [
      ...(owners.person?.kind === 'person' ? [] : [`the person ${person}`]),
      ...(backup === undefined || owners.backup !== undefined ? [] : [`the backup ${backup}`]),
      ...(team === undefined || owners.team?.kind === 'team' ? [] : [`the team ${team}`]),
    ];
    if (unknown.length === 0) return [];
    const fix =
      owners.person?.kind === 'person'
        ? command('identities', 'update', identity.clientId, '--backup', 'PERSON', '--team', 'TEAM')
        : command('people', 'create', '--handle', person, '--name', person);
    return [
      {
        subject: 'identity',
        subjectId: identity.id,
        severity: 'low',
        reason: `the directory does not know ${unknown.join(', ')}`,
        fix,
      },
    ];
  },
};
