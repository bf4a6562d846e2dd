import type { TrustDomain } from '@countersign/protocol';
import { newId } from '../../ids.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import type { WorkloadRecord } from '../../storage/workloads.ts';
import { narrowEnd, type RuleDeps, same, type Tell } from '../change-rules.ts';
import { hasEnded } from '../identity.ts';
import { type Ceiling, type MayActAsStores, requireMayActAs } from '../own-access.ts';
import { RegistryRefusal } from '../refusal.ts';
import { MOST_WORKLOADS_OF_AGENT } from './served.ts';
import { workloadView } from './view.ts';

export type WorkloadDeps = RuleDeps & { readonly trustDomain: TrustDomain };
type Writing = Pick<Stores, 'workloads' | 'identities'>;
type Giving = Writing & MayActAsStores;

export interface NewWorkload {
  readonly agent: IdentityRecord;
  readonly identity: IdentityRecord;
  readonly selectors: readonly string[];
  readonly hint: string | undefined;
  readonly expiresAt: number;
}

/** Its agent can become the identity from then on: who registers it needs what the identity has. */
export async function createWorkload(
  deps: WorkloadDeps,
  stores: Giving,
  tell: Tell,
  ceiling: Ceiling,
  { agent, identity, ...asked }: NewWorkload,
): Promise<WorkloadRecord> {
  for (const each of [agent, identity]) requireOwnable(each);
  await requireMayActAs(ceiling, stores, identity.id);
  const now = deps.clock.now();
  const there = await stores.workloads.ofAgent(agent.id, MOST_WORKLOADS_OF_AGENT);
  const twin = there.find(
    (each) => each.identityId === identity.id && sameSet(each.selectors, asked.selectors),
  );
  if (twin !== undefined) {
    throw new RegistryRefusal('already_exists', 'it is registered already, with these selectors', {
      pointer: '/selectors',
      existing: twin.id,
    });
  }
  if (there.length >= MOST_WORKLOADS_OF_AGENT)
    throw new RegistryRefusal('limit_reached', `an agent serves at most ${MOST_WORKLOADS_OF_AGENT}`);
  const record: WorkloadRecord = {
    id: newId('wkl', deps.random),
    agentId: agent.id,
    identityId: identity.id,
    selectors: asked.selectors,
    hint: asked.hint,
    state: 'active',
    expiresAt: narrowEnd(now, asked.expiresAt, identity.expiresAt),
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
  await stores.workloads.insert(record);
  const after = workloadView(deps.trustDomain, record, agent, identity);
  tell({ type: 'workload.created', resource: record.id, after });
  return record;
}

export interface WorkloadChange {
  readonly selectors?: readonly string[] | undefined;
  /** null takes it away. */
  readonly hint?: string | null | undefined;
  readonly expiresAt?: number | undefined;
}

/**
 * The record with the change made; the same record, and no event, when there is nothing to change. Other processes and a later end
 * need what a new one would.
 */
export async function changeWorkload(
  deps: WorkloadDeps,
  stores: Giving,
  tell: Tell,
  ceiling: Ceiling,
  record: WorkloadRecord,
  change: WorkloadChange,
): Promise<WorkloadRecord> {
  if (record.state === 'deleted') {
    throw new RegistryRefusal('illegal_transition', 'what is deleted does not change any more');
  }
  const identity = await stores.identities.byId(record.identityId);
  const asked = change.expiresAt;
  const changed: WorkloadRecord = {
    ...record,
    selectors: change.selectors ?? record.selectors,
    hint: change.hint === undefined ? record.hint : (change.hint ?? undefined),
    expiresAt:
      asked === undefined || identity === undefined
        ? record.expiresAt
        : narrowEnd(deps.clock.now(), asked, identity.expiresAt),
  };
  if (same(changed, record)) return record;
  if (changed.expiresAt > record.expiresAt || !sameSet(changed.selectors, record.selectors))
    await requireMayActAs(ceiling, stores, record.identityId);
  return await replace(deps, stores, tell, record, changed, 'workload.updated');
}

export async function deleteWorkload(
  deps: WorkloadDeps,
  stores: Writing,
  tell: Tell,
  record: WorkloadRecord,
): Promise<WorkloadRecord> {
  if (record.state === 'deleted') return record;
  return await replace(deps, stores, tell, record, { ...record, state: 'deleted' }, 'workload.deleted');
}

function requireOwnable(identity: IdentityRecord): void {
  if (identity.builtIn)
    throw new RegistryRefusal('built_in', `${identity.clientId} belongs to the authority itself`);
  if (hasEnded(identity))
    throw new RegistryRefusal('illegal_transition', `${identity.clientId} is ${identity.state}`);
}

function sameSet(left: readonly string[], right: readonly string[]): boolean {
  return same([...left].sort(), [...right].sort());
}

async function replace(
  deps: WorkloadDeps,
  stores: Writing,
  tell: Tell,
  before: WorkloadRecord,
  after: WorkloadRecord,
  type: string,
): Promise<WorkloadRecord> {
  const next = { ...after, updatedAt: deps.clock.now(), version: before.version + 1 };
  await stores.workloads.replace(next);
  const [agent, identity] = await Promise.all([
    stores.identities.byId(before.agentId),
    stores.identities.byId(before.identityId),
  ]);
  if (agent === undefined || identity === undefined) throw new Error('an identity is never removed');
  const view = (record: WorkloadRecord) => workloadView(deps.trustDomain, record, agent, identity);
  tell({ type, resource: before.id, before: view(before), after: view(next) });
  return next;
}
