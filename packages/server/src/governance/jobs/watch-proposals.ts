import type { Actor, Changes } from '../../audit/change.ts';
import type { AuditLog } from '../../audit/log.ts';
import { type AdministratorDeps, keepAdministered } from '../../registry/administrators.ts';
import { RegistryRefusal } from '../../registry/refusal.ts';
import type { RightSizingDeps } from '../../registry/right-sizing/apply.ts';
import { actorOf, isAsLeft, rollBack } from '../../registry/right-sizing/rollback.ts';
import { missedSince, noteMissed } from '../../registry/right-sizing/watch.ts';
import { StorageError } from '../../storage/errors.ts';
import type { ProposalRecord } from '../../storage/proposals.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Job } from './job.ts';

export interface WatchProposalsDeps extends RightSizingDeps, AdministratorDeps {
  readonly storage: Pick<Storage, 'proposals' | 'identities' | 'usage' | 'endingCallers'>;
  readonly changes: Changes;
  readonly log: Pick<AuditLog, 'find'>;
  /** `restore`: what is missed is given back by itself, as far as no rule asks for people. */
  readonly missedReductions: 'report' | 'restore';
}

const ACTOR: Actor = { identity: 'countersign' };
const BATCH = 100;

/** Watches what was taken away by a proposal until its window is over: whether it is missed, and whether it was given back. */
export function watchProposalsJob(deps: WatchProposalsDeps): Job {
  return {
    name: 'watch-proposals',
    everyMs: 60_000,
    async run(signal) {
      for (;;) {
        const due = await deps.storage.proposals.due(deps.clock.now(), BATCH);
        for (const record of due) {
          if (signal.aborted) return;
          await lookAt(deps, record);
        }
        if (due.length < BATCH) return;
      }
    },
  };
}

async function lookAt(deps: WatchProposalsDeps, seen: ProposalRecord): Promise<void> {
  const identity = await deps.storage.identities.byId(seen.identityId);
  if (identity === undefined || seen.applied === undefined) return;
  const missed = await missedSince(deps.storage, deps.log, seen, seen.applied, identity);
  try {
    await deps.changes.run(ACTOR, async (stores, tell) => {
      const current = await stores.proposals.byId(seen.id);
      if (current?.version !== seen.version) return;
      await noteMissed(deps, stores, tell, current, identity.clientId, missed);
    });
    if (deps.missedReductions === 'restore' && missed.refusals > 0) await restore(deps, seen.id);
  } catch (error) {
    // A person, or another node, was faster.
    if (!(error instanceof StorageError) || error.fault === 'unavailable') throw error;
  }
}

/** In the name of whoever took it away, and only what is as that left it: people are asked where rules ask for them, and nobody approves it for himself. */
async function restore(deps: WatchProposalsDeps, id: string): Promise<void> {
  try {
    await deps.changes.run(ACTOR, async (stores, tell) => {
      const record = await stores.proposals.byId(id);
      const identity = record && (await stores.identities.byId(record.identityId));
      if (record?.state !== 'applied' || record.applied === undefined || identity === undefined) return;
      if (!(await isAsLeft(stores, { record, identity }))) return;
      const asked = { by: actorOf(record.applied), reason: 'it is missed' };
      await keepAdministered(deps, stores, identity.id, () =>
        rollBack(deps, stores, tell, { record, identity }, asked),
      );
    });
  } catch (error) {
    // What cannot be given back any more stays a finding.
    if (!(error instanceof RegistryRefusal)) throw error;
  }
}
