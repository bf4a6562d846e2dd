import type { Permission } from '@countersign/admin-api';
import type { ChangeEvent } from '../../audit/change.ts';
import { isWider } from '../../registry/widening.ts';
import type { AccessConditions } from '../../storage/access.ts';
import type { Stores } from '../../storage/storage.ts';
import { type Admin, type AdminPerson, requirePeople } from './admin.ts';
import { ProblemError } from './problem.ts';

/** The person, where what it holds of these scopes is for its own alone. */
export function ownOnly(admin: Admin, scopes: readonly Permission[]): AdminPerson | undefined {
  return scopes.every((scope) => admin.unlimited.has(scope)) ? undefined : requirePeople(admin);
}

/** Throws `not_own`. */
export function refuseNotOwn(detail: string): never {
  throw new ProblemError('not_own', { detail });
}

/**
 * Judges what was done by what the events tell of it, in the transaction that did it, so that no operation can forget to ask: a
 * change of what is not the person's own, or of what belongs to nobody, takes the whole transaction back. Throws `not_own`.
 */
export async function requireOwn(
  stores: Stores,
  person: AdminPerson,
  events: readonly ChangeEvent[],
): Promise<void> {
  for (const event of events) {
    const owner = await ownerOf(stores, event);
    if (owner === undefined || !isOwn(owner, person)) {
      refuseNotOwn('an owner changes only identities of its team, or for which it is accountable itself');
    }
    if (event.resource.startsWith('acs_')) requireNoMore(event);
  }
}

interface Owner {
  readonly person: string;
  readonly backup?: string | null | undefined;
  readonly team?: string | null | undefined;
}

/** Whose that is which the event is about; undefined for what is nobody's. Of an identity: before the change. */
async function ownerOf(stores: Stores, event: ChangeEvent): Promise<Owner | undefined> {
  const id = event.resource;
  switch (id.slice(0, 4)) {
    case 'idn_':
      return (
        ((event.before ?? event.after) as { readonly owner?: Owner } | undefined)?.owner ??
        (await ownerOfIdentity(stores, id))
      );
    case 'crd_':
      return await ownerOfIdentity(stores, (await stores.credentials.byId(id))?.identityId);
    case 'crt_':
      return await ownerOfIdentity(stores, (await stores.certificates.byId(id))?.identityId);
    case 'acs_':
      return await ownerOfIdentity(stores, (await stores.access.byId(id))?.identityId);
    case 'fnd_':
      return await ownerOfIdentity(stores, (await stores.findings.byId(id))?.identityId);
    case 'prp_':
      return await ownerOfIdentity(stores, (await stores.proposals.byId(id))?.identityId);
    case 'arq_':
      return await ownerOfIdentity(stores, (await stores.approvals.byId(id))?.identityId);
    case 'cut_':
      return await ownerOfTarget(stores, event.after as CutOff | undefined);
    default:
      return undefined;
  }
}

interface CutOff {
  readonly kind: string;
  readonly target: string;
}

async function ownerOfTarget(stores: Stores, order: CutOff | undefined): Promise<Owner | undefined> {
  if (order?.kind === 'identity') return (await stores.identities.byClientId(order.target))?.owner;
  if (order?.kind !== 'credential') return undefined;
  return await ownerOfIdentity(stores, (await stores.credentials.byId(order.target))?.identityId);
}

async function ownerOfIdentity(stores: Stores, id: string | undefined): Promise<Owner | undefined> {
  return id === undefined ? undefined : (await stores.identities.byId(id))?.owner;
}

/** Teams as the provider's groups name them; handles as the directory compares them. */
function isOwn({ person: accountable, backup, team }: Owner, { handle, teams }: AdminPerson): boolean {
  const isMe = (name: string | null | undefined): boolean => name?.toLowerCase() === handle.toLowerCase();
  return (team !== null && team !== undefined && teams.includes(team)) || isMe(accountable) || isMe(backup);
}

interface Access {
  readonly state: string;
  readonly scopes: readonly string[];
  readonly expires_at: string;
  readonly token_lifetime?: number | null;
  readonly conditions?: AccessConditions | null;
}

function heldBy({ scopes, expires_at, token_lifetime, conditions }: Access): Parameters<typeof isWider>[0] {
  return {
    scopes,
    expiresAt: Date.parse(expires_at),
    tokenLifetime: token_lifetime ?? undefined,
    conditions: conditions ?? undefined,
  };
}

/** Whose API it is has a say in who may call it: an owner asks for access, narrows it and gives it back. */
function requireNoMore({ before, after }: ChangeEvent): void {
  const now = after as Access | undefined;
  const then = before as Access | undefined;
  if (now === undefined || now.state !== 'active') return;
  const narrower = then?.state === 'active' && !isWider(heldBy(then), heldBy(now));
  if (!narrower) refuseNotOwn('an owner asks for access; somebody with the role operator gives it');
}
