import type { Party } from '../../storage/approvals.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { ReviewItemRecord } from '../../storage/review-items.ts';
import type { ReviewRecord } from '../../storage/reviews.ts';
import type { Stores } from '../../storage/storage.ts';
import { handleKey } from '../../registry/directory/handle.ts';
import { lives, whoIs } from '../../registry/owner/named.ts';
import { RegistryRefusal } from '../../registry/refusal.ts';
import { humansBehind, sameHuman, shareHuman } from '../../registry/same-human.ts';

/** Whoever holds the role reviewer. */
export const ROLE_REVIEWER = 'role:reviewer';

export type ReviewerStores = Pick<
  Stores,
  'identities' | 'credentialMakers' | 'people' | 'teams' | 'approvals'
>;

/** A person who signed in, as one who decides. */
export interface Reviewer {
  readonly kind: 'person';
  readonly issuer: string;
  readonly subject: string;
  readonly handle: string;
  readonly roles: readonly string[];
  readonly teams: readonly string[];
}

/** `person:Ada` and `person:ada` are one. */
export function reviewerKey(reviewer: string): string {
  return handleKey(reviewer);
}

export interface Assigned {
  readonly reviewer: string;
  readonly fallback: string;
  /** Nobody of those who were to be asked may decide. */
  readonly toFallback: boolean;
}

/**
 * Whom each access is given to: of those that the campaign asks, in turn, the first who may decide on it; else to the fallback
 * at once. Of a team or a role it is known only when somebody decides whether they may. Remembers people: a campaign names few.
 */
export function createAssigner(
  stores: ReviewerStores,
  review: Pick<ReviewRecord, 'reviewers' | 'fallback' | 'notOwner'>,
): (identity: IdentityRecord, requesters: readonly Party[], turn: number) => Promise<Assigned> {
  const known = new Map<string, Promise<unknown>>();
  const once = <T>(key: string, look: () => Promise<T>): Promise<T> => {
    if (known.size > MOST_REMEMBERED) known.clear();
    const found = (known.get(key) ?? look()) as Promise<T>;
    known.set(key, found);
    return found;
  };
  const behind = (party: Party): Promise<ReadonlySet<string>> =>
    once(`behind ${JSON.stringify(party)}`, () => humansBehind(stores, party));
  const concrete = (asked: string, { owner }: IdentityRecord): Promise<string | undefined> =>
    asked === 'owner'
      ? once(`who ${owner.person}`, () => assignable(stores, owner.person))
      : asked === 'backup'
        ? once(`who ${owner.backup ?? ''}`, () => assignable(stores, owner.backup))
        : once(`asked ${asked}`, () => living(stores, reviewerKey(asked)));

  return async (identity, requesters, turn) => {
    const barred: Party[] = [...requesters];
    if (review.notOwner) barred.push({ kind: 'machine', clientId: identity.clientId });
    const may = async (reviewer: string): Promise<boolean> => {
      if (!reviewer.startsWith('person:')) return true;
      const own = await behind({ kind: 'named', handle: reviewer.slice('person:'.length) });
      for (const party of barred) if (shareHuman(own, await behind(party))) return false;
      return true;
    };
    const first = async (asked: readonly string[]): Promise<string | undefined> => {
      for (const each of asked) {
        const reviewer = await concrete(each, identity);
        if (reviewer !== undefined && (await may(reviewer))) return reviewer;
      }
      return undefined;
    };
    const { reviewers } = review;
    const inTurn = reviewers.map((_, place) => reviewers[(place + turn) % reviewers.length] ?? ROLE_REVIEWER);
    const fallback = (await first([review.fallback])) ?? ROLE_REVIEWER;
    const reviewer = await first(inTurn);
    return { reviewer: reviewer ?? fallback, fallback, toFallback: reviewer === undefined };
  };
}

const MOST_REMEMBERED = 20_000;

/** Whom an owner's name stands for, while they are there. Whom the directory does not know is taken as named. */
async function assignable(stores: ReviewerStores, name: string | undefined): Promise<string | undefined> {
  if (name === undefined) return undefined;
  const named = await whoIs(stores, name);
  if (named?.kind === 'team') return reviewerKey(`team:${named.team.name}`);
  if (named !== undefined && !lives(named.person)) return undefined;
  return reviewerKey(`person:${named?.person.handle ?? name}`);
}

/** Undefined for a person who has left. */
async function living(stores: ReviewerStores, reviewer: string): Promise<string | undefined> {
  if (!reviewer.startsWith('person:')) return reviewer;
  const person = await stores.people.byHandle(reviewer.slice('person:'.length));
  return person === undefined || lives(person) ? reviewer : undefined;
}

/** Everything that this person may be asked as. Teams are those of their sign-in and those of the directory. */
export async function keysOf(
  stores: Pick<Stores, 'people' | 'teams'>,
  person: Pick<Reviewer, 'handle' | 'roles' | 'teams'>,
): Promise<readonly string[]> {
  const known = await stores.people.byHandle(person.handle);
  const { items } = await stores.teams.list({ person: person.handle }, { limit: 200 });
  const names = [person.handle, ...(known?.email === undefined ? [] : [known.email])];
  const teams = new Set([...person.teams, ...items.map((team) => team.name)]);
  return [
    ...names.map((name) => reviewerKey(`person:${name}`)),
    ...[...teams].map((name) => reviewerKey(`team:${name}`)),
    ...(person.roles.includes('reviewer') ? [ROLE_REVIEWER] : []),
  ];
}

/** Why this person may not decide on the item now; undefined when they may. */
export async function reviewerFault(
  stores: ReviewerStores,
  review: ReviewRecord,
  item: ReviewItemRecord,
  clientId: string,
  person: Reviewer,
): Promise<RegistryRefusal | undefined> {
  const asked = review.state === 'overdue' ? [item.reviewer, item.fallback] : [item.reviewer];
  const mine = await keysOf(stores, person);
  if (!asked.some((each) => mine.includes(each))) {
    return new RegistryRefusal('not_an_approver', `this is asked of ${asked.join(' and ')}`);
  }
  for (const party of item.requesters) {
    if (await sameHuman(stores, person, party)) {
      return new RegistryRefusal(
        'self_approval',
        'whoever asked for it, or stands behind who did, does not review it',
      );
    }
  }
  if (review.notOwner && (await sameHuman(stores, person, { kind: 'machine', clientId }))) {
    return new RegistryRefusal('self_approval', 'this campaign asks others than the owner');
  }
  return undefined;
}
