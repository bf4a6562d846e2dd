import { newId } from '../ids.ts';
import type { Cadence, Environment, IdentityKind, IdentityRecord, Owner } from '../storage/identities.ts';
import type { Stores } from '../storage/storage.ts';
import type { Actor } from '../audit/change.ts';
import { identityNeedsApproval, requestIdentity } from './approval/identity-request.ts';
import type { ApprovalDeps, ApprovalStores } from './approval/request.ts';
import { requireSameRules } from './approval/same-rules.ts';
import { askedView } from './approval/view.ts';
import { requireEnd, same, type Tell } from './change-rules.ts';
import { requireLivingOwner } from './owner/living-owner.ts';
import { type PolicyStores, requirePolicies } from './policy/require-policies.ts';
import { RegistryRefusal } from './refusal.ts';
import { identityView } from './views.ts';

/** What an identity is made of. No end, no record; no owner, no record: neither can be left out. */
export interface NewIdentity {
  readonly name: string;
  readonly kind: IdentityKind;
  readonly environment: Environment;
  readonly purpose: string;
  readonly owner: Owner;
  readonly sensitivity: number;
  readonly cadence: Cadence;
  /** Made from the name when undefined. */
  readonly clientId: string | undefined;
  readonly expiresAt: number;
  /** `active` where no approval rule matches; else it waits for people. */
  readonly state: 'draft' | 'active';
  readonly builtIn?: boolean;
  readonly by: Actor;
}

export async function createIdentity(
  deps: ApprovalDeps,
  stores: ApprovalStores & PolicyStores & Pick<Stores, 'people'>,
  tell: Tell,
  asked: NewIdentity,
): Promise<IdentityRecord> {
  const now = deps.clock.now();
  const id = newId('idn', deps.random);
  const clientId = asked.clientId ?? clientIdFrom(asked.name, newId('idn', deps.random));
  const taken = await stores.identities.byClientId(clientId);
  if (taken !== undefined) {
    throw new RegistryRefusal('already_exists', `the client_id ${clientId} is or was in use`, {
      pointer: '/client_id',
      existing: taken.id,
    });
  }
  await requireLivingOwner(stores, asked.owner);
  const record: IdentityRecord = {
    id,
    clientId,
    name: asked.name,
    kind: asked.kind,
    environment: asked.environment,
    purpose: asked.purpose,
    owner: asked.owner,
    sensitivity: asked.sensitivity,
    cadence: asked.cadence,
    state: asked.state,
    stateReason: undefined,
    stateSince: now,
    securityStop: false,
    builtIn: asked.builtIn ?? false,
    expiresAt: requireEnd(now, asked.expiresAt),
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
  await requirePolicies(deps, stores, tell, record, { identity: { before: undefined } });
  if (record.state === 'active' && (await identityNeedsApproval(stores, record, asked.by))) {
    const waiting: IdentityRecord = { ...record, state: 'requested' };
    await stores.identities.insert(waiting);
    const request = await requestIdentity(deps, stores, tell, waiting, asked.by);
    const after = { ...identityView(waiting), request: askedView(request) };
    tell({ type: 'identity.requested', resource: id, reason: record.purpose, after });
    return waiting;
  }
  await stores.identities.insert(record);
  tell({ type: 'identity.created', resource: id, after: identityView(record) });
  return record;
}

/** Members to change; absent ones stay. */
export interface IdentityChange {
  readonly name?: string | undefined;
  readonly environment?: Environment | undefined;
  readonly purpose?: string | undefined;
  readonly owner?: Owner | undefined;
  readonly sensitivity?: number | undefined;
  readonly cadence?: Cadence | undefined;
  readonly expiresAt?: number | undefined;
}

/** The record with the change made; the same record, and no event, when there is nothing to change. */
export async function changeIdentity(
  deps: ApprovalDeps,
  stores: ApprovalStores & Pick<Stores, 'access' | 'resourceServers'>,
  tell: Tell,
  record: IdentityRecord,
  change: IdentityChange,
  by: Actor,
): Promise<IdentityRecord> {
  const now = deps.clock.now();
  const changed: IdentityRecord = {
    ...record,
    name: change.name ?? record.name,
    environment: change.environment ?? record.environment,
    purpose: change.purpose ?? record.purpose,
    owner: change.owner ?? record.owner,
    sensitivity: change.sensitivity ?? record.sensitivity,
    cadence: change.cadence ?? record.cadence,
    expiresAt: change.expiresAt ?? record.expiresAt,
  };
  if (same(changed, record)) return record;
  if (hasEnded(record)) {
    throw new RegistryRefusal(
      'illegal_transition',
      `an identity that is ${record.state} does not change any more`,
    );
  }
  if (changed.expiresAt !== record.expiresAt) requireEnd(now, changed.expiresAt);
  if (changed.environment !== record.environment) await requireSameRules(stores, record, changed, by);
  const next = { ...changed, updatedAt: now, version: record.version + 1 };
  await stores.identities.replace(next);
  // An edit voids what was approved of it: that was another content.
  if (next.state === 'requested') await requestIdentity(deps, stores, tell, next, by);
  tell({
    type: 'identity.updated',
    resource: record.id,
    before: identityView(record),
    after: identityView(next),
  });
  return next;
}

/** In a state that nothing leads out of. */
export function hasEnded(record: Pick<IdentityRecord, 'state'>): boolean {
  return record.state === 'decommissioned' || record.state === 'rejected' || record.state === 'lapsed';
}

/** The name, readable, with enough chance behind it that two of one name do not meet. */
function clientIdFrom(name: string, random: string): string {
  const readable = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40);
  return `${readable === '' ? 'identity' : readable}-${random.slice(4, 10)}`;
}
