import type { Actor } from '../../audit/change.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { OwnershipClockRecord } from '../../storage/ownership-clocks.ts';
import type { Stores } from '../../storage/storage.ts';
import type { RuleDeps, Tell } from '../change-rules.ts';
import { hasEnded } from '../identity.ts';
import { moveIdentity } from '../lifecycle.ts';
import { afterSteps, type ClockStep, dueSteps, maySuspend } from './clock.ts';
import { leadOf, managerOf, whoIs } from './named.ts';
import { stopClock } from './take-over.ts';
import { clockView } from './view.ts';

const AUTHORITY: Actor = { identity: 'countersign' };

/** Keeps whatever can administer the authority from being suspended with the rest (administrators.ts). */
export interface RunClockDeps extends RuleDeps {
  /** What must not be suspended by itself, beside what is built in and what is most sensitive. */
  readonly spare?: boolean;
}

/**
 * Takes the steps of a clock that are due, each with its event, in the caller's transaction. `version_conflict` when another
 * node takes them.
 */
export async function takeDueSteps(
  deps: RunClockDeps,
  stores: Stores,
  tell: Tell,
  clock: OwnershipClockRecord,
  identity: IdentityRecord,
): Promise<void> {
  if (hasEnded(identity)) return await stopClock(stores, tell, identity);
  const steps = dueSteps(clock, deps.clock.now());
  if (steps.length === 0) return;
  await stores.ownershipClocks.replace(afterSteps(clock, steps.length));
  for (const step of steps) await take(deps, stores, tell, step, clock, identity);
}

async function take(
  deps: RunClockDeps,
  stores: Stores,
  tell: Tell,
  step: ClockStep,
  clock: OwnershipClockRecord,
  identity: IdentityRecord,
): Promise<void> {
  const suspends = step === 'suspend' && maySuspend(identity) && deps.spare !== true;
  const notify = await toldAt(stores, step, clock, identity);
  tell({
    type: EVENTS[step],
    resource: identity.id,
    reason: `${clock.person} has left`,
    after: { client_id: identity.clientId, ...clockView(clock, identity), step, notify, suspends },
  });
  if (!suspends || identity.state !== 'active') return;
  const reason = `owner_lost: ${clock.person} has left, and nobody has taken it over in 14 days`;
  await moveIdentity(deps, stores, tell, identity, { move: 'suspend', reason, actor: AUTHORITY });
}

const EVENTS: { readonly [step in ClockStep]: string } = {
  notice: 'ownership.orphaned',
  manager: 'ownership.escalated',
  overdue: 'ownership.overdue',
  suspend: 'ownership.lost',
};

/** Handles of whom a step is about to be told, nobody twice: who stands in first, then who could find somebody. */
async function toldAt(
  stores: Pick<Stores, 'people' | 'teams'>,
  step: ClockStep,
  clock: OwnershipClockRecord,
  identity: IdentityRecord,
): Promise<readonly string[]> {
  const named = await whoIs(stores, identity.owner.team);
  const lead = named?.kind === 'team' ? await leadOf(stores, named.team) : undefined;
  const manager = await managerOf(stores, await stores.people.byHandle(clock.person));
  const urgent = step !== 'notice';
  // Of what is not suspended by itself, more people hear early.
  const wide = step === 'overdue' || step === 'suspend' || !maySuspend(identity) || manager === undefined;
  const told = [
    clock.interim,
    urgent ? manager?.handle : undefined,
    urgent && wide ? lead?.handle : undefined,
  ];
  return [...new Set(told.filter((handle) => handle !== undefined))];
}
