import type { Actor, Changes } from '../../audit/change.ts';
import type { RuleDeps } from '../../registry/change-rules.ts';
import { escalateOffer } from '../../registry/owner/offer.ts';
import { StorageError } from '../../storage/errors.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Job } from './job.ts';

const EVERY_MS = 60_000;
const PAGE = 200;
const ACTOR: Actor = { identity: 'countersign' };

/** Hands on the offers that nobody answered in time, each in a transaction in which it is looked at once more. */
export function escalateOwnershipOffersJob(
  deps: RuleDeps & { readonly storage: Pick<Storage, 'ownershipOffers'>; readonly changes: Changes },
): Job {
  return {
    name: 'escalate-ownership-offers',
    everyMs: EVERY_MS,
    async run(signal) {
      for (;;) {
        const due = await deps.storage.ownershipOffers.due(deps.clock.now(), PAGE);
        let advanced = 0;
        for (const { id } of due) {
          if (signal.aborted) return;
          if (await escalateOne(deps, id)) advanced++;
        }
        if (due.length < PAGE || advanced === 0) return;
      }
    },
  };
}

async function escalateOne(deps: RuleDeps & { readonly changes: Changes }, id: string): Promise<boolean> {
  try {
    await deps.changes.run(ACTOR, async (stores, tell) => {
      const offer = await stores.ownershipOffers.byId(id);
      if (offer?.state !== 'open' || offer.dueAt > deps.clock.now()) return;
      await escalateOffer(deps, stores, tell, offer);
    });
    return true;
  } catch (error) {
    // Somebody decided at the same moment.
    if (!(error instanceof StorageError) || error.fault === 'unavailable') throw error;
    return false;
  }
}
