import { newId } from '../ids.ts';
import type { AccessRecord } from '../storage/access.ts';
import type { IdentityRecord } from '../storage/identities.ts';
import type { ResourceServerRecord } from '../storage/resource-servers.ts';
import type { Stores } from '../storage/storage.ts';
import { narrowEnd, type RuleDeps, same, type Tell } from './change-rules.ts';
import { hasEnded } from './identity.ts';
import { RegistryRefusal } from './refusal.ts';
import { accessView } from './views.ts';

/** The two ends of an access. */
export interface AccessEnds {
  readonly identity: IdentityRecord;
  readonly resourceServer: ResourceServerRecord;
}

export interface NewAccess {
  readonly scopes: readonly string[];
  readonly justification: string;
  readonly tokenLifetime: number | undefined;
  /** Narrowed to the identity's end. */
  readonly expiresAt: number;
  readonly requestedBy: string;
}

/** Without approval rules an access is active at once, approved by who made it. */
export async function createAccess(
  deps: RuleDeps,
  stores: Pick<Stores, 'access'>,
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
  const record: AccessRecord = {
    id: newId('acs', deps.random),
    identityId: identity.id,
    resourceServerId: resourceServer.id,
    scopes: asked.scopes,
    justification: asked.justification,
    state: 'active',
    requestedBy: asked.requestedBy,
    approvedBy: asked.requestedBy,
    approvedAt: now,
    tokenLifetime: asked.tokenLifetime,
    expiresAt: narrowEnd(now, asked.expiresAt, identity.expiresAt),
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
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
  stores: Pick<Stores, 'access'>,
  tell: Tell,
  ends: AccessEnds,
): Promise<void> {
  const filter = { identityId: ends.identity.id, resourceServerId: ends.resourceServer.id };
  for (const state of ['active', 'requested'] as const) {
    const { items } = await stores.access.list({ ...filter, state }, { limit: 1 });
    const [existing] = items;
    if (existing !== undefined && existing.expiresAt <= deps.clock.now()) {
      await expireAccess(deps, stores, tell, ends, existing);
    } else if (existing !== undefined) {
      throw new RegistryRefusal(
        'already_exists',
        `${ends.identity.clientId} has access to ${ends.resourceServer.identifier} already: change that one`,
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
  readonly expiresAt?: number | undefined;
}

/** The record with the change made; the same record, and no event, when there is nothing to change. */
export async function changeAccess(
  deps: RuleDeps,
  stores: Pick<Stores, 'access'>,
  tell: Tell,
  ends: AccessEnds,
  record: AccessRecord,
  change: AccessChange,
): Promise<AccessRecord> {
  const now = deps.clock.now();
  const { tokenLifetime } = change;
  let { expiresAt } = record;
  if (change.expiresAt !== undefined && change.expiresAt !== record.expiresAt) {
    expiresAt = narrowEnd(now, change.expiresAt, ends.identity.expiresAt);
  }
  const changed: AccessRecord = {
    ...record,
    scopes: change.scopes ?? record.scopes,
    justification: change.justification ?? record.justification,
    tokenLifetime: tokenLifetime === undefined ? record.tokenLifetime : (tokenLifetime ?? undefined),
    expiresAt,
  };
  if (same(changed, record)) return record;
  const state = record.state === 'active' && record.expiresAt <= now ? 'expired' : record.state;
  if (state !== 'active') {
    throw new RegistryRefusal('illegal_transition', `an access that is ${state} does not change any more`);
  }
  if (!same(changed.scopes, record.scopes)) requireScopes(ends.resourceServer, changed.scopes);
  return await replace(deps, stores, tell, ends, record, changed, 'access.updated');
}

const LIVE: ReadonlySet<AccessRecord['state']> = new Set(['requested', 'active']);

/** Its end has come: it does not come back, and another one may take its place. The same record when it has ended already. */
export async function expireAccess(
  deps: RuleDeps,
  stores: Pick<Stores, 'access'>,
  tell: Tell,
  ends: AccessEnds,
  record: AccessRecord,
): Promise<AccessRecord> {
  if (!LIVE.has(record.state) || record.expiresAt > deps.clock.now()) return record;
  return await replace(deps, stores, tell, ends, record, { ...record, state: 'expired' }, 'access.expired');
}

/** The same record, and no event, when it has ended already. */
export async function revokeAccess(
  deps: RuleDeps,
  stores: Pick<Stores, 'access'>,
  tell: Tell,
  ends: AccessEnds,
  record: AccessRecord,
): Promise<AccessRecord> {
  if (!LIVE.has(record.state)) return record;
  return await replace(deps, stores, tell, ends, record, { ...record, state: 'revoked' }, 'access.revoked');
}

async function replace(
  deps: RuleDeps,
  stores: Pick<Stores, 'access'>,
  tell: Tell,
  ends: AccessEnds,
  before: AccessRecord,
  after: AccessRecord,
  type: string,
): Promise<AccessRecord> {
  const next = { ...after, updatedAt: deps.clock.now(), version: before.version + 1 };
  await stores.access.replace(next);
  tell({ type, resource: before.id, before: viewOf(before, ends), after: viewOf(next, ends) });
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
