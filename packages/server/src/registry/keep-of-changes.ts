import type { ChangeDeps } from '../audit/change.ts';
import { keepCredentialMakers } from './credential-makers.ts';
import { type QueueDeps, queueNotices } from './notice/queue.ts';

/** What is kept of every change beside its event, in its transaction. */
export function keepOfChanges(deps: QueueDeps): NonNullable<ChangeDeps['keep']> {
  return async (stores, actor, changes) => {
    await keepCredentialMakers(stores, actor, changes);
    await queueNotices(deps, stores, actor, changes);
  };
}
