import type { Party } from '../storage/approvals.ts';
import type { Stores } from '../storage/storage.ts';

/** What the organisation's directory knows of one human, as far as it tells two apart. */
export interface KnownHuman {
  readonly id: string;
  readonly handle: string;
  readonly email: string | undefined;
}

/** Live people only; without regard to ASCII case. */
export interface Directory {
  byHandle(handle: string): Promise<KnownHuman | undefined>;
  byEmail(email: string): Promise<KnownHuman | undefined>;
  byExternalId(externalId: string): Promise<KnownHuman | undefined>;
}

export type HumanStores = Pick<Stores, 'identities' | 'credentialMakers'> & {
  /** Undefined: the deployment has none. */
  readonly people?: Directory | undefined;
};

/** Machines that made credentials for machines; a longer row is a loop or a mistake, or hides somebody. */
const MOST_MACHINES = 20;
/** In place of those whom nobody looked for any further: it could be anybody. */
const ANYBODY = 'anybody';

/**
 * Whether two parties are, or act for, one human, through any path: the same sign-in; the same person of the directory by
 * handle, e-mail or external id; the owner or backup of a machine; whoever made the credential that a machine used, and
 * if that was a machine, the humans behind it. Being in one team does not make two people one.
 *
 * Where it errs, it errs towards yes: two who are taken for one must find a third, one who passes for two is nobody's check.
 */
export async function sameHuman(stores: HumanStores, one: Party, other: Party): Promise<boolean> {
  return shareHuman(await humansBehind(stores, one), await humansBehind(stores, other));
}

/** Of what `humansBehind` gives. */
export function shareHuman(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  if (one.has(ANYBODY) || other.has(ANYBODY)) return true;
  for (const key of other) if (one.has(key)) return true;
  return false;
}

/**
 * Everything by which the humans behind a party may be known again. Two parties that share one entry are taken for one
 * human. Empty for the authority itself, and for a machine whose owner is nobody.
 */
export async function humansBehind(stores: HumanStores, party: Party): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const machines = new Set<string>();
  const waiting: Party[] = [party];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.kind === 'named') await addNamed(stores, found, next.handle);
    else if (next.kind === 'person') await addPerson(stores, found, next);
    else {
      const key = `${next.clientId} ${next.credential ?? ''}`;
      if (machines.has(key)) continue;
      if (machines.size >= MOST_MACHINES) return found.add(ANYBODY);
      machines.add(key);
      waiting.push(...(await behindMachine(stores, next)));
    }
  }
  return found;
}

/** Owner and backup as they are now, and who made the credential. */
export async function behindMachine(
  stores: HumanStores,
  { clientId, credential }: Extract<Party, { kind: 'machine' }>,
): Promise<readonly Party[]> {
  const identity = await stores.identities.byClientId(clientId);
  const found: Party[] = [];
  if (identity !== undefined) {
    const { person, backup } = identity.owner;
    found.push({ kind: 'named', handle: person });
    if (backup !== undefined) found.push({ kind: 'named', handle: backup });
  }
  const maker = credential === undefined ? undefined : await stores.credentialMakers.of(credential);
  if (maker !== undefined) found.push(maker);
  return found;
}

/** Compared as people read them: case, width and outer spaces make nobody another human. */
function nameKey(name: string): string {
  return `name ${name.normalize('NFKC').trim().toLowerCase()}`;
}

async function addPerson(
  stores: HumanStores,
  found: Set<string>,
  { issuer, subject, handle, email }: Extract<Party, { kind: 'person' }>,
): Promise<void> {
  found.add(`sign-in ${issuer} ${subject}`);
  await addNamed(stores, found, handle);
  if (email !== undefined) await addNamed(stores, found, email);
  addKnown(found, await stores.people?.byExternalId(subject));
}

async function addNamed(stores: HumanStores, found: Set<string>, name: string): Promise<void> {
  found.add(nameKey(name));
  addKnown(found, await stores.people?.byHandle(name));
  addKnown(found, await stores.people?.byEmail(name));
}

function addKnown(found: Set<string>, human: KnownHuman | undefined): void {
  if (human === undefined) return;
  found.add(`person ${human.id}`);
  found.add(nameKey(human.handle));
  if (human.email !== undefined) found.add(nameKey(human.email));
}
