import type { ActingPerson } from '../audit/change.ts';
import type { Stores } from '../storage/storage.ts';
import type { TrustedIssuerRecord } from '../storage/trusted-issuers.ts';
import type { Ceiling } from './own-access.ts';
import { RegistryRefusal } from './refusal.ts';

/** Who says whose tokens are believed. No ceiling: the authority's own host. */
export interface IssuerChanger {
  readonly ceiling: Ceiling;
  readonly person: ActingPerson | undefined;
}

/**
 * Whoever says who vouches for people can become any of them. The first issuer of people is named by whoever may write trusted issuers,
 * for nobody has signed in yet; from then on, and for ever, people change it, or the host (`--apply`). Throws `needs_people`.
 */
export async function requireMayNamePeople(
  stores: Pick<Stores, 'trustedIssuers'>,
  { ceiling, person }: IssuerChanger,
): Promise<void> {
  if (ceiling === undefined || person !== undefined) return;
  if ((await stores.trustedIssuers.ofPeople()).length === 0) return;
  throw new RegistryRefusal(
    'needs_people',
    'who vouches for people is changed by people, or on the host of the authority (--apply); suspending is always allowed',
  );
}

/** Two providers would make two people of one name. Throws `already_exists`. */
export async function requireOnlyPeopleIssuer(
  stores: Pick<Stores, 'trustedIssuers'>,
  record: Pick<TrustedIssuerRecord, 'kind' | 'state' | 'id'>,
): Promise<void> {
  if (record.kind !== 'people' || record.state !== 'active') return;
  const other = (await stores.trustedIssuers.ofPeople()).find(
    ({ id, state }) => state === 'active' && id !== record.id,
  );
  if (other === undefined) return;
  throw new RegistryRefusal(
    'already_exists',
    `${other.issuer} vouches for people already: suspend it first`,
    { existing: other.id },
  );
}

/** The issuer through which people sign in now. */
export async function activePeopleIssuer(
  trustedIssuers: Pick<Stores['trustedIssuers'], 'ofPeople'>,
  builtIn: TrustedIssuerRecord | undefined,
): Promise<TrustedIssuerRecord | undefined> {
  const registered = await trustedIssuers.ofPeople();
  // One that was registered takes the place of what is built in, whatever became of it.
  const latest = registered.find(({ state }) => state === 'active');
  return latest ?? (registered.length === 0 ? builtIn : undefined);
}
