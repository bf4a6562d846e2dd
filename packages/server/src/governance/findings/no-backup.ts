import { command } from './commands.ts';
import type { Detector } from './detector.ts';

/** As many people of its team as make up for a backup: the owner and one more. */
const ENOUGH = 2;

/** When its owner leaves nobody stands in: there is no backup who is still there, and no team of two. */
export const noBackup: Detector = {
  kind: 'no_backup',
  quietMs: 0,
  observe({ identity }, { owners }) {
    if (owners === undefined || owners.backupLiving > 0 || owners.teamLiving >= ENOUGH) return [];
    const { backup } = identity.owner;
    // Whether somebody unknown is still there, nobody can say.
    if (backup !== undefined && owners.backup === undefined) return [];
    return [
      {
        subject: 'identity',
        subjectId: identity.id,
        severity: 'low',
        reason:
          backup === undefined
            ? 'nobody is the backup of its owner'
            : `its backup ${backup} is nobody any more`,
        fix: command('identities', 'update', identity.clientId, '--backup', 'PERSON'),
      },
    ];
  },
};
