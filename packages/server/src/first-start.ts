import type { AuditSink } from './audit/sink.ts';
import { StorageError } from './storage/errors.ts';
import type { Storage } from './storage/storage.ts';

/** What makes a first start safe: that it really is the first, and that other nodes may have theirs at the same moment. */

/** The registry holds nothing, but the log tells of what was once in it. */
export class RegistryLost extends Error {
  constructor() {
    super(
      'the registry is empty, but the audit log has events: restore the registry from its copy; to begin anew, move ' +
        'the audit folder and audit-index.db away (with PostgreSQL: the rows of audit_events)',
    );
    this.name = 'RegistryLost';
  }
}

/** Throws `RegistryLost` rather than begin another registry beside the log of one that is gone. */
export async function requireRegistryOfLog(
  storage: Pick<Storage, 'signingKeys' | 'settings'>,
  sink: Pick<AuditSink, 'find'>,
): Promise<void> {
  if (!(await isNew(storage))) return;
  const [event] = await sink.find({}, { afterSeq: 0, limit: 1 });
  // Asked again: another node may have begun meanwhile, and what it made was there before its first event.
  if (event !== undefined && (await isNew(storage))) throw new RegistryLost();
}

/** The first start makes the keys before all else. */
async function isNew({ signingKeys, settings }: Pick<Storage, 'signingKeys' | 'settings'>): Promise<boolean> {
  return (await signingKeys.live()).length === 0 && (await settings.get('built_in_identity')) === undefined;
}

const MOST_TRIES = 3;

/** Does the work again when another node did it at the same moment: then there is nothing left to do, or less. */
export async function untilAlone<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const conflict =
        error instanceof StorageError &&
        (error.fault === 'unique_conflict' || error.fault === 'version_conflict');
      if (!conflict || attempt > MOST_TRIES) throw error;
    }
  }
}
