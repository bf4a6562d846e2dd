import type { Actor, Changes } from '../../audit/change.ts';
import type { RuleDeps } from '../../registry/change-rules.ts';
import { type Move, moveIdentity } from '../../registry/lifecycle.ts';
import type { IdentityState } from '../../storage/identities.ts';
import type { Position } from '../../storage/page.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Job } from './job.ts';

export interface EndIdentitiesDeps extends RuleDeps {
  readonly storage: Pick<Storage, 'identities'>;
  readonly changes: Changes;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ACTOR: Actor = { identity: 'countersign' };

/** What silence leads to, and after how long since the last change. */
const DUE: readonly {
  readonly state: IdentityState;
  readonly after: number;
  readonly move: Move;
  readonly reason: string;
}[] = [
  { state: 'approved', after: 14 * DAY_MS, move: 'lapse', reason: 'approved and not used for 14 days' },
  {
    state: 'decommissioning',
    after: 30 * DAY_MS,
    move: 'finish',
    reason: 'the time for second thoughts is over',
  },
];

/** Ends what has waited long enough. Each in a transaction of its own, in which it is looked at once more. */
export function endIdentitiesJob(deps: EndIdentitiesDeps): Job {
  return {
    name: 'end-identities',
    everyMs: HOUR_MS,
    async run(signal) {
      for (const { state, after: waited, move, reason } of DUE) {
        const until = deps.clock.now() - waited;
        let after: Position | undefined;
        do {
          const page = await deps.storage.identities.list({ state }, { limit: 200, after });
          for (const { id, updatedAt } of page.items) {
            if (signal.aborted) return;
            if (updatedAt > until) continue;
            await deps.changes.run(ACTOR, async (stores, tell) => {
              const record = await stores.identities.byId(id);
              if (record?.state !== state || record.updatedAt > until) return;
              await moveIdentity(deps, stores, tell, record, { move, reason, actor: ACTOR });
            });
          }
          after = page.next;
        } while (after !== undefined);
      }
    },
  };
}
