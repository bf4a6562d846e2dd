import type { TrustedIssuerRecord, TrustedIssuerStore } from '../storage/trusted-issuers.ts';
import { entriesOf } from './directory/entries-of.ts';
import type { SignedInPerson } from './signed-in-person.ts';

/** Why somebody who signed in may not go on. */
export type PersonFault = 'people_issuer_not_active' | 'person_left';

/** What a directory of people knows of one. Whom it does not know it calls active: their issuer says that they are there. */
export type PersonStanding = (
  person: Pick<SignedInPerson, 'issuer' | 'subject' | 'handle'>,
) => Promise<'active' | 'left'>;

/**
 * By the directory of this authority: under whichever of their names it knows them. Two records are one word more than none: who has
 * left under one of them has left.
 */
export function standingInDirectory(people: Parameters<typeof entriesOf>[0]): PersonStanding {
  return async (person) =>
    (await entriesOf(people, person)).some(({ status }) => status === 'left') ? 'left' : 'active';
}

export interface PeopleDeps {
  readonly trustedIssuers: Pick<TrustedIssuerStore, 'byId' | 'ofPeople'>;
  /** The issuer that `countersign dev` brings along; no registry has it. */
  readonly builtIn?: TrustedIssuerRecord | undefined;
  /** Undefined: there is no directory. */
  readonly standing?: PersonStanding | undefined;
}

/** One that was registered has taken its place for ever, whatever became of it. */
async function builtInIssuer({
  trustedIssuers,
  builtIn,
}: PeopleDeps): Promise<TrustedIssuerRecord | undefined> {
  return (await trustedIssuers.ofPeople()).length === 0 ? builtIn : undefined;
}

/** The roles of somebody in these groups. Groups are compared as strings. */
export function rolesOf({ people }: TrustedIssuerRecord, groups: readonly string[]): readonly string[] {
  return standingFor(people?.roles ?? {}, groups);
}

/** The teams of somebody in these groups. */
export function teamsOf({ people }: TrustedIssuerRecord, groups: readonly string[]): readonly string[] {
  return standingFor(people?.teams ?? {}, groups);
}

function standingFor(
  table: Readonly<Record<string, readonly string[] | undefined>>,
  groups: readonly string[],
): readonly string[] {
  const held = new Set(groups);
  return Object.keys(table).filter((name) => table[name]?.some((group) => held.has(group)) === true);
}

/**
 * Asked at every request of a person: the token of somebody who has left, or whom nobody vouches for any more, opens nothing from
 * that moment on. Rejects when it cannot be known.
 */
export async function personFault(
  deps: PeopleDeps,
  person: SignedInPerson,
): Promise<PersonFault | undefined> {
  const { trustedIssuer: id, issuer } = person;
  const record = deps.builtIn?.id === id ? await builtInIssuer(deps) : await deps.trustedIssuers.byId(id);
  const vouches = record?.state === 'active' && record.kind === 'people' && record.issuer === issuer;
  if (!vouches) return 'people_issuer_not_active';
  return (await deps.standing?.(person)) === 'left' ? 'person_left' : undefined;
}
