import type { Actor } from '../../audit/change.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { PersonRecord } from '../../storage/people.ts';
import type { Position } from '../../storage/page.ts';
import type { Stores } from '../../storage/storage.ts';
import type { Tell } from '../change-rules.ts';
import { sameHandle } from '../directory/handle.ts';
import { changeTeam } from '../directory/team.ts';
import { changeIdentity, hasEnded } from '../identity.ts';
import { RegistryRefusal } from '../refusal.ts';
import type { OwnerDeps } from './acceptance.ts';
import { living } from './departure.ts';
import { requireLivingOwner } from './living-owner.ts';
import { offerIdentity } from './offer.ts';

/** Everything that names one person as somebody who answers for it. */
export interface Held {
  /** Ids. */
  readonly owned: readonly string[];
  readonly backedUp: readonly string[];
  /** Of teams that they lead. */
  readonly led: readonly string[];
  /** Of open offers that wait for them. */
  readonly offered: readonly string[];
}

/** So many of a kind in one hand-over; a second one takes what is left. */
export const MOST_HANDED_OVER = 10_000;

/** What a person answers for, also what somebody stands in for since they left. */
export async function heldBy(stores: Stores, { handle }: PersonRecord): Promise<Held> {
  const owned = new Set<string>();
  for (const { id } of await living(stores, { ownerPerson: handle }, MOST_HANDED_OVER)) owned.add(id);
  for (let after: string | undefined; owned.size < MOST_HANDED_OVER; ) {
    const clocks = await stores.ownershipClocks.ofPerson(handle, 200, after);
    if (clocks.length === 0) break;
    for (const { identityId } of clocks) owned.add(identityId);
    after = clocks.at(-1)?.identityId;
  }
  const backedUp = await living(stores, { ownerBackup: handle }, MOST_HANDED_OVER);
  return {
    owned: [...owned],
    backedUp: backedUp.map(({ id }) => id),
    led: await idsOf(
      (after) => stores.teams.list({ person: handle }, { limit: 200, after }),
      (team) => team.lead !== undefined && sameHandle(team.lead, handle),
    ),
    offered: await idsOf(
      (after) => stores.ownershipOffers.list({ candidate: handle, state: 'open' }, { limit: 200, after }),
      () => true,
    ),
  };
}

async function idsOf<T extends { readonly id: string }>(
  list: (
    after: Position | undefined,
  ) => Promise<{ readonly items: readonly T[]; readonly next?: Position | undefined }>,
  fits: (item: T) => boolean,
): Promise<readonly string[]> {
  const found: string[] = [];
  let after: Position | undefined;
  do {
    const page = await list(after);
    found.push(...page.items.filter(fits).map(({ id }) => id));
    after = page.next;
  } while (after !== undefined && found.length < MOST_HANDED_OVER);
  return found;
}

export interface HandOver {
  readonly from: PersonRecord;
  readonly to: PersonRecord;
  readonly reason: string | undefined;
  readonly by: Actor;
}

/** Throws `owner_left` when who should take over has left, and `illegal_transition` when it is the same person. */
export function requireTaker({ from, to }: Pick<HandOver, 'from' | 'to'>): void {
  if (from.id === to.id)
    throw new RegistryRefusal('illegal_transition', 'nobody hands over to themselves', { pointer: '/to' });
  if (to.status === 'left')
    throw new RegistryRefusal('owner_left', `${to.handle} has left`, { pointer: '/to', existing: to.id });
}

/** What became of one thing that was handed over. */
export type Outcome = 'offered' | 'taken_over' | 'changed' | 'unchanged';

/** Looks once more: what somebody else owns by now stays theirs. */
export async function handOverOwned(
  deps: OwnerDeps,
  stores: Stores,
  tell: Tell,
  id: string,
  { from, to, reason, by }: HandOver,
): Promise<Outcome> {
  const identity = await stores.identities.byId(id);
  if (identity === undefined || hasEnded(identity)) return 'unchanged';
  const clock = await stores.ownershipClocks.ofIdentity(id);
  const theirs = sameHandle(clock?.person ?? identity.owner.person, from.handle);
  if (!theirs) return 'unchanged';
  const offer = await offerIdentity(deps, stores, tell, identity, { to: to.handle, reason, by });
  return offer.state === 'accepted' ? 'taken_over' : 'offered';
}

/** Nobody is their own backup: where the taker is accountable already, there is none then. */
export async function handOverBackup(
  deps: OwnerDeps,
  stores: Stores,
  tell: Tell,
  id: string,
  { from, to, by }: HandOver,
): Promise<Outcome> {
  const identity = await stores.identities.byId(id);
  if (identity === undefined || hasEnded(identity) || !isBackup(identity, from)) return 'unchanged';
  const own = sameHandle(identity.owner.person, to.handle);
  const owner = { ...identity.owner, backup: own ? undefined : to.handle };
  await requireLivingOwner(stores, owner, identity.owner);
  await changeIdentity(deps, stores, tell, identity, { owner }, by);
  return 'changed';
}

function isBackup({ owner }: IdentityRecord, { handle }: PersonRecord): boolean {
  return owner.backup !== undefined && sameHandle(owner.backup, handle);
}

export async function handOverLead(
  deps: OwnerDeps,
  stores: Stores,
  tell: Tell,
  id: string,
  { from, to }: HandOver,
): Promise<Outcome> {
  const team = await stores.teams.byId(id);
  if (team === undefined || team.deleted || team.lead === undefined || !sameHandle(team.lead, from.handle))
    return 'unchanged';
  await changeTeam(deps, stores, tell, team, { lead: to.handle });
  return 'changed';
}

/** What was offered to them is offered to the taker. */
export async function handOverOffer(
  deps: OwnerDeps,
  stores: Stores,
  tell: Tell,
  id: string,
  { from, to, reason, by }: HandOver,
): Promise<Outcome> {
  const offer = await stores.ownershipOffers.byId(id);
  if (offer?.state !== 'open' || !sameHandle(offer.candidate, from.handle)) return 'unchanged';
  const identity = await stores.identities.byId(offer.identityId);
  if (identity === undefined || hasEnded(identity) || sameHandle(identity.owner.person, to.handle))
    return 'unchanged';
  const next = await offerIdentity(deps, stores, tell, identity, { to: to.handle, reason, by });
  return next.state === 'accepted' ? 'taken_over' : 'offered';
}
