import type { Actor, Changes } from '../../audit/change.ts';
import { lapseRequest } from '../../registry/approval/lapse.ts';
import type { RuleDeps } from '../../registry/change-rules.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Job } from './job.ts';

export interface LapseApprovalsDeps extends RuleDeps {
  readonly storage: Pick<Storage, 'approvals'>;
  readonly changes: Changes;
}

const ACTOR: Actor = { identity: 'countersign' };
const BATCH = 200;

/** What nobody decided in time is asked for no longer. Each in a transaction of its own, in which it is looked at once more. */
export function lapseApprovalsJob(deps: LapseApprovalsDeps): Job {
  return {
    name: 'lapse-approvals',
    everyMs: 60_000,
    async run(signal) {
      for (;;) {
        const due = await deps.storage.approvals.due(deps.clock.now(), BATCH);
        for (const { id } of due) {
          if (signal.aborted) return;
          await deps.changes.run(ACTOR, (stores, tell) => lapseRequest(deps, stores, tell, id));
        }
        if (due.length < BATCH) return;
      }
    },
  };
}
