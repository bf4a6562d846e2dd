import type { PersonRecord } from '../../storage/people.ts';
import type { Stores } from '../../storage/storage.ts';
import type { TeamRecord } from '../../storage/teams.ts';

/** What the string in an owner names; undefined: nobody that the directory knows. */
export type Named =
  | { readonly kind: 'person'; readonly person: PersonRecord }
  | { readonly kind: 'team'; readonly team: TeamRecord }
  | undefined;

type Reading = Pick<Stores, 'people' | 'teams'>;

export async function whoIs(stores: Reading, name: string | undefined): Promise<Named> {
  if (name === undefined) return undefined;
  const person = await stores.people.byHandle(name);
  if (person !== undefined) return { kind: 'person', person };
  const team = await stores.teams.byName(name);
  return team === undefined ? undefined : { kind: 'team', team };
}

/** Who is leaving is still there. */
export function lives(person: PersonRecord | undefined): person is PersonRecord {
  return person !== undefined && person.status !== 'left';
}

/** Members of a team who are still there, in its order. */
export async function livingMembers(
  stores: Pick<Stores, 'people'>,
  team: TeamRecord,
): Promise<readonly PersonRecord[]> {
  const found: PersonRecord[] = [];
  for (const handle of team.members) {
    const person = await stores.people.byHandle(handle);
    if (lives(person)) found.push(person);
  }
  return found;
}

/** Who may stand in: the person itself, or of a team its lead, or else its first member who is still there. */
export async function standIn(stores: Reading, name: string | undefined): Promise<PersonRecord | undefined> {
  const named = await whoIs(stores, name);
  if (named === undefined) return undefined;
  if (named.kind === 'person') return lives(named.person) ? named.person : undefined;
  return (await leadOf(stores, named.team)) ?? (await livingMembers(stores, named.team))[0];
}

/** Whom a person reports to, while that one is still there. */
export async function managerOf(
  stores: Pick<Stores, 'people'>,
  person: PersonRecord | undefined,
): Promise<PersonRecord | undefined> {
  if (person?.managerHandle === undefined) return undefined;
  const manager = await stores.people.byHandle(person.managerHandle);
  return lives(manager) ? manager : undefined;
}

/** Who leads a team, while that one is still there. */
export async function leadOf(
  stores: Pick<Stores, 'people'>,
  team: TeamRecord | undefined,
): Promise<PersonRecord | undefined> {
  if (team?.lead === undefined) return undefined;
  const lead = await stores.people.byHandle(team.lead);
  return lives(lead) ? lead : undefined;
}
