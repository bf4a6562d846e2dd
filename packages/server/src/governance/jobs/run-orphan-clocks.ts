import type { Actor, Changes } from '../../audit/change.ts';
import { type AdministratorDeps, keepAdministered } from '../../registry/administrators.ts';
import type { Tell } from '../../registry/change-rules.ts';
import { sameHandle } from '../../registry/directory/handle.ts';
import { hasEnded } from '../../registry/identity.ts';
import type { OwnerDeps } from '../../registry/owner/acceptance.ts';
import { orphan } from '../../registry/owner/departure.ts';
import { takeDueSteps } from '../../registry/owner/run-clock.ts';
import { RegistryRefusal } from '../../registry/refusal.ts';
import { StorageError } from '../../storage/errors.ts';
import type { OwnershipClockRecord } from '../../storage/ownership-clocks.ts';
import type { Position } from '../../storage/page.ts';
import type { PersonRecord } from '../../storage/people.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import type { Job } from './job.ts';

export interface OrphanClockDeps extends OwnerDeps, AdministratorDeps {
  readonly storage: Pick<Storage, 'ownershipClocks' | 'people' | 'identities'>;
  readonly changes: Changes;
}

const EVERY_MS = 60_000;
const PAGE = 200;
const DAY_MS = 86_400_000;
/** Of whom it is looked again whether they own anything still: more than the clock has days. */
const LOOKED_AFTER_MS = 30 * DAY_MS;
const ACTOR: Actor = { identity: 'countersign' };

/**
 * Takes the steps of the clocks that are due, an identity a transaction, in which it is looked at once more. What was missed is
 * taken later, and nothing twice.
 */
export function runOrphanClocksJob(deps: OrphanClockDeps): Job {
  return {
    name: 'run-orphan-clocks',
    everyMs: EVERY_MS,
    async run(signal) {
      await startMissing(deps, signal);
      for (;;) {
        const due = await deps.storage.ownershipClocks.due(deps.clock.now(), PAGE);
        let advanced = 0;
        for (const clock of due) {
          if (signal.aborted) return;
          if (await runOne(deps, clock)) advanced++;
        }
        // What stays due is somebody else's to take.
        if (due.length < PAGE || advanced === 0) return;
      }
    },
  };
}

/** More than fit into the transaction in which somebody left. */
async function startMissing(deps: OrphanClockDeps, signal: AbortSignal): Promise<void> {
  const leftSince = deps.clock.now() - LOOKED_AFTER_MS;
  let after: Position | undefined;
  do {
    const page = await deps.storage.people.list({ status: 'left', leftSince }, { limit: PAGE, after });
    for (const person of page.items) {
      if (signal.aborted) return;
      await startThoseOf(deps, person);
    }
    after = page.next;
  } while (after !== undefined);
}

async function startThoseOf(deps: OrphanClockDeps, { id, handle }: PersonRecord): Promise<void> {
  let after: Position | undefined;
  do {
    const page = await deps.storage.identities.list({ ownerPerson: handle }, { limit: PAGE, after });
    for (const identity of page.items) {
      if (hasEnded(identity)) continue;
      if ((await deps.storage.ownershipClocks.ofIdentity(identity.id)) !== undefined) continue;
      await unlessOutrun(() =>
        deps.changes.run(ACTOR, (stores, tell) => start(deps, stores, tell, id, identity.id)),
      );
    }
    after = page.next;
  } while (after !== undefined);
}

async function start(
  deps: OrphanClockDeps,
  stores: Stores,
  tell: Tell,
  personId: string,
  identityId: string,
): Promise<void> {
  const person = await stores.people.byId(personId);
  const identity = await stores.identities.byId(identityId);
  if (person?.status !== 'left' || identity === undefined || hasEnded(identity)) return;
  if (sameHandle(identity.owner.person, person.handle)) await orphan(deps, stores, tell, identity, person);
}

async function runOne(deps: OrphanClockDeps, { identityId }: OwnershipClockRecord): Promise<boolean> {
  const take = (spare: boolean): Promise<boolean> =>
    unlessOutrun(() =>
      deps.changes.run(ACTOR, async (stores, tell) => {
        const clock = await stores.ownershipClocks.ofIdentity(identityId);
        const identity = await stores.identities.byId(identityId);
        if (clock === undefined || identity === undefined) return;
        const steps = (): Promise<void> => takeDueSteps({ ...deps, spare }, stores, tell, clock, identity);
        if (spare) await steps();
        else await keepAdministered(deps, stores, identityId, steps);
      }),
    );
  try {
    return await take(false);
  } catch (error) {
    // Nobody locks the authority by leaving: it is told, and goes on.
    if (error instanceof RegistryRefusal && error.reason === 'last_administrator') return await take(true);
    throw error;
  }
}

/** False when another node was faster: what it did is what was to be done. */
async function unlessOutrun(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof StorageError) || error.fault === 'unavailable') throw error;
    return false;
  }
}
