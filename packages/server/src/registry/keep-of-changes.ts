import type { ChangeDeps } from '../audit/change.ts';
import type { RandomBytes } from '../ids.ts';
import { keepCredentialMakers } from './credential-makers.ts';
import { queueNotices } from './notice/queue.ts';

/** What is kept of every change beside its event, in its transaction. */
export function keepOfChanges(random: RandomBytes): NonNullable<ChangeDeps['keep']> {
  return async (stores, actor, changes) => {
    await keepCredentialMakers(stores, actor, changes);
    await queueNotices(random, stores, actor, changes);
  };
}
