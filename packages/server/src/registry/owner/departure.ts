import type { Actor } from '../../audit/change.ts';
import type { IdentityFilter, IdentityRecord } from '../../storage/identities.ts';
import type { Position } from '../../storage/page.ts';
import type { PersonRecord } from '../../storage/people.ts';
import type { Stores } from '../../storage/storage.ts';
import type { Tell } from '../change-rules.ts';
import { sameHandle } from '../directory/handle.ts';
import { changeIdentity, hasEnded } from '../identity.ts';
import type { OwnerDeps } from './acceptance.ts';
import { newClock } from './clock.ts';
import { standIn } from './named.ts';
import { escalateOffer, offerIdentity } from './offer.ts';
import { openOfferOf, withdrawOffers } from './offer-state.ts';
import { takeDueSteps } from './run-clock.ts';
import { stopClock } from './take-over.ts';

/** Of what somebody owned, so many at most in the transaction in which they leave; the rest follows (run-orphan-clocks.ts). */
export const MOST_AT_ONCE = 1000;
const AUTHORITY: Actor = { identity: 'countersign' };

/** What follows from the new status of a person, in the transaction that changes it. */
export async function settleStatus(
  deps: OwnerDeps,
  stores: Stores,
  tell: Tell,
  before: Pick<PersonRecord, 'status'> | undefined,
  person: PersonRecord,
): Promise<void> {
  if (person.status === 'left' && before?.status !== 'left') await departed(deps, stores, tell, person);
  if (person.status !== 'left' && before?.status === 'left') await returned(deps, stores, tell, person);
}

/** Their backups stand in at once, the clocks begin to run, and what was offered to them is offered to the next. */
async function departed(deps: OwnerDeps, stores: Stores, tell: Tell, person: PersonRecord): Promise<void> {
  const filter = { ownerPerson: person.handle };
  for (const identity of await living(stores, filter, MOST_AT_ONCE)) {
    await orphan(deps, stores, tell, identity, person);
  }
  let after: Position | undefined;
  do {
    const open = { candidate: person.handle, state: 'open' } as const;
    const page = await stores.ownershipOffers.list(open, { limit: 200, after });
    for (const offer of page.items) await escalateOffer(deps, stores, tell, offer);
    after = page.next;
  } while (after !== undefined);
}

/** The clock of one identity begins, with all that belongs to its first day. Nothing when it runs already. */
export async function orphan(
  deps: OwnerDeps,
  stores: Stores,
  tell: Tell,
  identity: IdentityRecord,
  person: PersonRecord,
): Promise<void> {
  if ((await stores.ownershipClocks.ofIdentity(identity.id)) !== undefined) return;
  const { backup } = identity.owner;
  const interim = await standIn(stores, backup);
  const clock = newClock(
    { identityId: identity.id, person: person.handle, backup, interim: interim?.handle },
    deps.clock.now(),
  );
  let promoted = identity;
  if (interim !== undefined) {
    // A team goes on being the backup of whom it lends.
    const own = backup !== undefined && sameHandle(backup, interim.handle);
    const owner = { ...identity.owner, person: interim.handle, backup: own ? undefined : backup };
    promoted = await changeIdentity(deps, stores, tell, identity, { owner }, AUTHORITY);
  }
  await stores.ownershipClocks.insert(clock);
  await takeDueSteps(deps, stores, tell, clock, promoted);
  if (interim === undefined || !(await deps.ownerAcceptance(stores))) return;
  // Somebody is asked already: they may take it still.
  if ((await openOfferOf(stores, identity.id)) !== undefined) return;
  const reason = `${person.handle} has left`;
  await offerIdentity(deps, stores, tell, promoted, { to: interim.handle, reason, by: AUTHORITY });
}

/** Of whom comes back before anybody has taken over: all is as it was. */
async function returned(deps: OwnerDeps, stores: Stores, tell: Tell, person: PersonRecord): Promise<void> {
  let after: string | undefined;
  for (;;) {
    const clocks = await stores.ownershipClocks.ofPerson(person.handle, 200, after);
    if (clocks.length === 0) return;
    for (const clock of clocks) {
      after = clock.identityId;
      const identity = await stores.identities.byId(clock.identityId);
      if (identity === undefined) continue;
      const owner = { ...identity.owner, person: clock.person, backup: clock.backup };
      const restored = hasEnded(identity)
        ? identity
        : await changeIdentity(deps, stores, tell, identity, { owner }, AUTHORITY);
      await stopClock(stores, tell, restored);
      await withdrawOffers(deps, stores, tell, restored);
    }
  }
}

/** Identities that somebody could still lose, at most so many. */
export async function living(
  stores: Pick<Stores, 'identities'>,
  filter: IdentityFilter,
  most: number,
): Promise<readonly IdentityRecord[]> {
  const found: IdentityRecord[] = [];
  let after: Position | undefined;
  do {
    const page = await stores.identities.list(filter, { limit: 200, after });
    for (const identity of page.items) {
      if (found.length >= most) return found;
      if (!hasEnded(identity)) found.push(identity);
    }
    after = page.next;
  } while (after !== undefined);
  return found;
}
