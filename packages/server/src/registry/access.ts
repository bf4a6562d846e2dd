import type { Actor } from '../audit/change.ts';
import { newId } from '../ids.ts';
import type { AccessConditions, AccessRecord } from '../storage/access.ts';
import type { ResourceServerRecord } from '../storage/resource-servers.ts';
import type { Stores } from '../storage/storage.ts';
import type { AccessEnds } from './access-ends.ts';
import { needsApproval, requestAccess } from './approval/access-request.ts';
import { nameOf, partyOf } from './approval/party.ts';
import { type ApprovalDeps, type ApprovalStores, voidPending } from './approval/request.ts';
import { askedView } from './approval/view.ts';
import { narrowEnd, type RuleDeps, same, type Tell } from './change-rules.ts';
import { hasEnded } from './identity.ts';
import { type PolicyStores, requirePolicies } from './policy/require-policies.ts';
import { RegistryRefusal } from './refusal.ts';
import { accessView } from './views.ts';

export type { AccessEnds };

export interface NewAccess {
  readonly scopes: readonly string[];
  readonly justification: string;
  readonly tokenLifetime: number | undefined;
  readonly conditions: AccessConditions | undefined;
  /** Narrowed to the identity's end. */
  readonly expiresAt: number;
  readonly by: Actor;
}

type AccessStores = ApprovalStores & PolicyStores;

/** Where no approval rule matches an access is active at once, approved by who made it; else it waits for people. */
export async function createAccess(
  deps: ApprovalDeps,
  stores: AccessStores,
  tell: Tell,
  ends: AccessEnds,
  asked: NewAccess,
): Promise<AccessRecord> {
  const now = deps.clock.now();
  const { identity, resourceServer } = ends;
  if (hasEnded(identity) || identity.state === 'decommissioning') {
    throw new RegistryRefusal('illegal_transition', `the identity is ${identity.state}: it gets no access`);
  }
  requireScopes(resourceServer, asked.scopes);
  await requireOnlyOne(deps, stores, tell, ends);
  const requestedBy = nameOf(partyOf(asked.by));
  const record: AccessRecord = {
    id: newId('acs', deps.random),
    identityId: identity.id,
    resourceServerId: resourceServer.id,
    scopes: asked.scopes,
    justification: asked.justification,
    state: 'active',
    requestedBy,
    approvedBy: requestedBy,
    approvedAt: now,
    tokenLifetime: asked.tokenLifetime,
    conditions: asked.conditions,
    approvalId: undefined,
    expiresAt: narrowEnd(now, asked.expiresAt, identity.expiresAt),
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
  const written = { access: { before: undefined, after: record, resourceServer } };
  await requirePolicies(deps, stores, tell, identity, written);
  if (await needsApproval(stores, ends, undefined, record, asked.by)) {
    const waiting: AccessRecord = {
      ...record,
      state: 'requested',
      approvedBy: undefined,
      approvedAt: undefined,
    };
    await stores.access.insert(waiting);
    const request = await requestAccess(deps, stores, tell, ends, 'create', waiting, asked.by);
    const after = { ...viewOf(waiting, ends), request: askedView(request) };
    tell({ type: 'access.requested', resource: record.id, reason: record.justification, after });
    return waiting;
  }
  await stores.access.insert(record);
  tell({ type: 'access.created', resource: record.id, after: viewOf(record, ends) });
  return record;
}

/**
 * One live access per identity and resource server: what it holds changes by changing it. One whose time is over gives
 * its place up here, and its history says so.
 */
async function requireOnlyOne(
  deps: RuleDeps,
  stores: Pick<Stores, 'access' | 'approvals'>,
  tell: Tell,
  ends: AccessEnds,
): Promise<void> {
  const filter = { identityId: ends.identity.id, resourceServerId: ends.resourceServer.id };
  for (const state of ['active', 'requested', 'suspended'] as const) {
    const { items } = await stores.access.list({ ...filter, state }, { limit: 1 });
    const [existing] = items;
    if (existing !== undefined && existing.expiresAt <= deps.clock.now()) {
      await expireAccess(deps, stores, tell, ends, existing);
    } else if (existing !== undefined) {
      const instead = state === 'suspended' ? 'it is suspended, restore or revoke it' : 'change that one';
      throw new RegistryRefusal(
        'already_exists',
        `${ends.identity.clientId} has access to ${ends.resourceServer.identifier} already: ${instead}`,
        { existing: existing.id },
      );
    }
  }
}

export interface AccessChange {
  readonly scopes?: readonly string[] | undefined;
  readonly justification?: string | undefined;
  /** Null: no own ceiling any more. */
  readonly tokenLifetime?: number | null | undefined;
  /** Null: none any more. */
  readonly conditions?: AccessConditions | null | undefined;
  readonly expiresAt?: number | undefined;
}

/**
 * The record with the change made; the same record, and no event, when there is nothing to change. What opens more than
 * before waits for people where a rule asks for them: the same record then, for it stays in force, and what waits beside
 * it. Any change of what an access is ends what waited about it: that was asked of another state of things.
 * Held before either is looked at: what waits is a row of its own, and would outlive an access that ends at the same moment.
 */
export async function changeAccess(
  deps: ApprovalDeps,
  stores: AccessStores,
  tell: Tell,
  ends: AccessEnds,
  record: AccessRecord,
  change: AccessChange,
  by: Actor,
): Promise<AccessRecord> {
  const now = deps.clock.now();
  const { tokenLifetime, conditions } = change;
  let { expiresAt } = record;
  if (change.expiresAt !== undefined && change.expiresAt !== record.expiresAt) {
    expiresAt = narrowEnd(now, change.expiresAt, ends.identity.expiresAt);
  }
  const changed: AccessRecord = {
    ...record,
    scopes: change.scopes ?? record.scopes,
    justification: change.justification ?? record.justification,
    tokenLifetime: tokenLifetime === undefined ? record.tokenLifetime : (tokenLifetime ?? undefined),
    conditions: conditions === undefined ? record.conditions : (conditions ?? undefined),
    expiresAt,
  };
  if (same(changed, record)) return record;
  const state = record.state === 'active' && record.expiresAt <= now ? 'expired' : record.state;
  if (state !== 'active' && state !== 'requested') {
    const detail =
      state === 'suspended'
        ? 'an access that is suspended does not change: restore it first'
        : `an access that is ${state} does not change any more`;
    throw new RegistryRefusal('illegal_transition', detail);
  }
  if (!same(changed.scopes, record.scopes)) requireScopes(ends.resourceServer, changed.scopes);
  await requirePolicies(deps, stores, tell, ends.identity, {
    access: {
      before: record.state === 'active' ? record : undefined,
      after: changed,
      resourceServer: ends.resourceServer,
    },
  });
  if (record.state === 'requested') return await editRequested(deps, stores, tell, ends, record, changed, by);
  await stores.access.hold(record);
  if (await needsApproval(stores, ends, record, changed, by)) {
    const request = await requestAccess(deps, stores, tell, ends, 'change', changed, by);
    const before = viewOf(record, ends);
    const after = { ...before, request: askedView(request) };
    tell({
      type: 'access.change_requested',
      resource: record.id,
      reason: changed.justification,
      before,
      after,
    });
    return record;
  }
  await voidPending(deps, stores, tell, record.id, 'the access was changed');
  const next = changed.expiresAt > record.expiresAt ? { ...changed, ...prolongedBy(deps, by) } : changed;
  return await replaceAccess(deps, stores, tell, ends, record, next, 'access.updated');
}

/** Who lets it go on where no rule asks anybody answers for it from then on. */
function prolongedBy(
  { clock }: RuleDeps,
  by: Actor,
): Pick<AccessRecord, 'approvedBy' | 'approvedAt' | 'approvalId'> {
  return { approvedBy: nameOf(partyOf(by)), approvedAt: clock.now(), approvalId: undefined };
}

/** An edit voids the approvals: they were of what it was before. It waits on, whatever the rules say by now. */
async function editRequested(
  deps: ApprovalDeps,
  stores: AccessStores,
  tell: Tell,
  ends: AccessEnds,
  record: AccessRecord,
  changed: AccessRecord,
  by: Actor,
): Promise<AccessRecord> {
  const request = await requestAccess(deps, stores, tell, ends, 'create', changed, by);
  const shown = { request: askedView(request) };
  return await replaceAccess(deps, stores, tell, ends, record, changed, 'access.request_edited', shown);
}

const LIVE: ReadonlySet<AccessRecord['state']> = new Set(['requested', 'active', 'suspended']);

/** Its end has come: it does not come back, and another one may take its place. The same record when it has ended already. */
export async function expireAccess(
  deps: RuleDeps,
  stores: Pick<Stores, 'access' | 'approvals'>,
  tell: Tell,
  ends: AccessEnds,
  record: AccessRecord,
): Promise<AccessRecord> {
  if (!LIVE.has(record.state) || record.expiresAt > deps.clock.now()) return record;
  await stores.access.hold(record);
  await voidPending(deps, stores, tell, record.id, 'the access has expired');
  const expired = { ...record, state: 'expired' } as const;
  return await replaceAccess(deps, stores, tell, ends, record, expired, 'access.expired');
}

/** The same record, and no event, when it has ended already. */
export async function revokeAccess(
  deps: RuleDeps,
  stores: Pick<Stores, 'access' | 'approvals'>,
  tell: Tell,
  ends: AccessEnds,
  record: AccessRecord,
): Promise<AccessRecord> {
  if (!LIVE.has(record.state)) return record;
  await stores.access.hold(record);
  await voidPending(deps, stores, tell, record.id, 'the access was revoked');
  const revoked = { ...record, state: 'revoked' } as const;
  return await replaceAccess(deps, stores, tell, ends, record, revoked, 'access.revoked');
}

/** Writes the next version with its event. `shown`: members of the view that only this event has. */
export async function replaceAccess(
  deps: RuleDeps,
  stores: Pick<Stores, 'access'>,
  tell: Tell,
  ends: AccessEnds,
  before: AccessRecord,
  after: AccessRecord,
  type: string,
  shown: object = {},
  reason?: string,
): Promise<AccessRecord> {
  const next = { ...after, updatedAt: deps.clock.now(), version: before.version + 1 };
  await stores.access.replace(next);
  tell({
    type,
    resource: before.id,
    reason,
    before: viewOf(before, ends),
    after: { ...viewOf(next, ends), ...shown },
  });
  return next;
}

function requireScopes(resourceServer: ResourceServerRecord, scopes: readonly string[]): void {
  if (resourceServer.state !== 'active') {
    throw new RegistryRefusal('unknown_reference', 'the resource server is deleted', {
      pointer: '/resource_server',
    });
  }
  const defined = new Set(resourceServer.scopes.map((scope) => scope.name));
  const unknown = scopes.filter((scope) => !defined.has(scope));
  if (unknown.length > 0) {
    const names = unknown.slice(0, 5).join(', ');
    throw new RegistryRefusal('unknown_scope', `${resourceServer.identifier} has no scope ${names}`, {
      pointer: '/scopes',
    });
  }
}

function viewOf(record: AccessRecord, ends: AccessEnds): ReturnType<typeof accessView> {
  return accessView(record, ends.identity.clientId, ends.resourceServer.identifier);
}
