import type { TrustedIssuerRecord, TrustedIssuerStore } from '../storage/trusted-issuers.ts';
import type { SignedInPerson } from './signed-in-person.ts';

/** Why somebody who signed in may not go on. */
export type PersonFault = 'people_issuer_not_active' | 'person_left';

/** What a directory of people knows of one. Whom it does not know it calls active: their issuer says that they are there. */
export type PersonStatus = (
  person: Pick<SignedInPerson, 'issuer' | 'subject' | 'handle'>,
) => Promise<'active' | 'left'>;

export interface PeopleDeps {
  readonly trustedIssuers: Pick<TrustedIssuerStore, 'byId'>;
  /** The issuer that `countersign dev` brings along; no registry has it. */
  readonly builtIn?: TrustedIssuerRecord | undefined;
  /** Undefined: there is no directory. */
  readonly status?: PersonStatus | undefined;
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
  const record = deps.builtIn?.id === id ? deps.builtIn : await deps.trustedIssuers.byId(id);
  const vouches = record?.state === 'active' && record.kind === 'people' && record.issuer === issuer;
  if (!vouches) return 'people_issuer_not_active';
  return (await deps.status?.(person)) === 'left' ? 'person_left' : undefined;
}
