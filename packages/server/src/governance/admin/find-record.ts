import type { CredentialRecord } from '../../storage/credentials.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { PersonRecord } from '../../storage/people.ts';
import type { ResourceServerRecord } from '../../storage/resource-servers.ts';
import type { Stores } from '../../storage/storage.ts';
import type { TeamRecord } from '../../storage/teams.ts';
import type { TrustedIssuerRecord } from '../../storage/trusted-issuers.ts';
import { ProblemError } from './problem.ts';

/** Records by any of the names that callers may use. An id of one kind can never be a name of another. */

export async function findIdentity(
  stores: Pick<Stores, 'identities'>,
  ref: string,
): Promise<IdentityRecord | undefined> {
  return (await stores.identities.byId(ref)) ?? (await stores.identities.byClientId(ref));
}

/** Id of the identity that a filter names, where it names one: one that is not there is an error, not an empty page. */
export async function identityIdOf(
  stores: Pick<Stores, 'identities'>,
  ref: string | undefined,
): Promise<string | undefined> {
  return ref === undefined ? undefined : required(await findIdentity(stores, ref), 'identity').id;
}

/** The identities of the rows of a page, all at once: what a row names is there, or the answer is not given. */
export async function identitiesOf(
  stores: Pick<Stores, 'identities'>,
  rows: readonly { readonly identityId: string }[],
): Promise<(id: string) => IdentityRecord> {
  const found = await stores.identities.byIds([...new Set(rows.map(({ identityId }) => identityId))]);
  const known = new Map(found.map((record) => [record.id, record]));
  return (id) => required(known.get(id), 'identity');
}

export async function findResourceServer(
  stores: Pick<Stores, 'resourceServers'>,
  ref: string,
): Promise<ResourceServerRecord | undefined> {
  const byIdentifier = await stores.resourceServers.byIdentifier(ref);
  if (byIdentifier !== undefined) return byIdentifier;
  const byId = await stores.resourceServers.byId(ref);
  return byId?.state === 'active' ? byId : undefined;
}

export async function findTrustedIssuer(
  stores: Pick<Stores, 'trustedIssuers'>,
  ref: string,
): Promise<TrustedIssuerRecord | undefined> {
  const byId = ref.startsWith('tis_') ? await stores.trustedIssuers.byId(ref) : undefined;
  const record = byId ?? (await stores.trustedIssuers.byIssuer(ref));
  return record?.state === 'deleted' ? undefined : record;
}

export async function findPerson(
  stores: Pick<Stores, 'people'>,
  ref: string,
): Promise<PersonRecord | undefined> {
  const record = ref.startsWith('psn_') ? await stores.people.byId(ref) : undefined;
  return record?.deleted === false ? record : await stores.people.byHandle(ref);
}

export async function findTeam(stores: Pick<Stores, 'teams'>, ref: string): Promise<TeamRecord | undefined> {
  const record = ref.startsWith('tem_') ? await stores.teams.byId(ref) : undefined;
  return record?.deleted === false ? record : await stores.teams.byName(ref);
}

/** What a path or a filter names has to be there. */
export function required<T>(record: T | undefined, what: string): T {
  if (record === undefined) throw new ProblemError('not_found', { detail: `there is no such ${what}` });
  return record;
}

/** What a body names, by `ref`, has to be there. */
export function referenced<T>(record: T | undefined, pointer: string, what: string, ref: string): T {
  if (record !== undefined) return record;
  const detail = `there is no ${what} ${ref}`;
  throw new ProblemError('unknown_reference', { detail, errors: [{ pointer, detail }] });
}

/** A credential with the identity it belongs to. */
export async function requireCredential(
  stores: Pick<Stores, 'credentials' | 'identities'>,
  id: string,
): Promise<{ readonly record: CredentialRecord; readonly identity: IdentityRecord }> {
  const record = required(await stores.credentials.byId(id), 'credential');
  return { record, identity: required(await stores.identities.byId(record.identityId), 'identity') };
}

/** Looks each id up once: the rows of a page name the same few records over and over. */
export function remembering<T>(
  lookup: (id: string) => Promise<T | undefined>,
): (id: string) => Promise<T | undefined> {
  const known = new Map<string, Promise<T | undefined>>();
  return (id) => {
    let found = known.get(id);
    if (found === undefined) {
      found = lookup(id);
      known.set(id, found);
    }
    return found;
  };
}
