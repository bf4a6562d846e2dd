import type { Actor, Changes } from '../../audit/change.ts';
import { beginBrownOut } from '../../registry/change-plan.ts';
import type { RuleDeps, Tell } from '../../registry/change-rules.ts';
import { moveIdentity } from '../../registry/lifecycle.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import { CLOCKED, due } from '../lifecycle/due.ts';
import type { Job } from './job.ts';
import { sweep } from './sweep.ts';

export interface SweepIdentitiesDeps extends RuleDeps {
  readonly storage: Pick<Storage, 'identities'>;
  readonly changes: Changes;
}

/** Brown-outs are announced to the minute. */
const EVERY_MS = 10_000;
const ACTOR: Actor = { identity: 'countersign' };
/** In the first run, for which the start waits; what has piled up beyond it follows with the next. */
const MOST_AT_START = 200;

/**
 * Does to identities what is due by time: ../lifecycle/due.ts. Each is looked at once more in its
 * transaction; one that has missed several steps goes through all of them.
 */
export function sweepIdentitiesJob(deps: SweepIdentitiesDeps): Job {
  let most: number | undefined = MOST_AT_START;
  return {
    name: 'sweep-identities',
    everyMs: EVERY_MS,
    async run(signal) {
      for (const { state, by, waited } of CLOCKED) {
        const until = deps.clock.now() - waited;
        await sweep(
          {
            page: (after, limit) => deps.storage.identities.due(state, by, until, { limit, after }),
            carryOut: (ids) => carryOut(deps, ids),
            ...(most === undefined ? {} : { most }),
          },
          signal,
        );
      }
      most = undefined;
    },
  };
}

/** More than any identity can have missed. */
const MOST_STEPS = 5;

async function carryOut(deps: SweepIdentitiesDeps, ids: readonly string[]): Promise<void> {
  await deps.changes.run(ACTOR, async (stores, tell) => {
    for (const id of ids) {
      let record = await stores.identities.byId(id);
      for (let step = 0; step < MOST_STEPS && record !== undefined; step++) {
        record = await oneStep(deps, stores, tell, record);
      }
    }
  });
}

/** Undefined when there is nothing to do any more. */
async function oneStep(
  deps: SweepIdentitiesDeps,
  stores: Stores,
  tell: Tell,
  record: IdentityRecord,
): Promise<IdentityRecord | undefined> {
  const act = due(record, deps.clock.now());
  if (act === undefined) return undefined;
  if (act === 'brown_out') return await beginBrownOut(deps, stores, tell, record, ACTOR);
  return await moveIdentity(deps, stores, tell, record, { ...act, actor: ACTOR });
}
