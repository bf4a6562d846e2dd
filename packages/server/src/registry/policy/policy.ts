import { newId } from '../../ids.ts';
import type { PolicyRecord } from '../../storage/policies.ts';
import type { Stores } from '../../storage/storage.ts';
import { type RuleDeps, same, type Tell } from '../change-rules.ts';
import { RegistryRefusal } from '../refusal.ts';
import { failuresOf } from './run-tests.ts';
import { policyView } from './view.ts';

/** All are looked at for each write. */
export const MOST_POLICIES = 100;

export type NewPolicy = Pick<PolicyRecord, 'name' | 'rule' | 'parameters' | 'mode' | 'match' | 'tests'>;

/** Members to change, each as a whole; absent ones stay. */
export interface PolicyChange {
  readonly parameters?: PolicyRecord['parameters'] | undefined;
  readonly mode?: PolicyRecord['mode'] | undefined;
  readonly match?: PolicyRecord['match'] | undefined;
  readonly tests?: PolicyRecord['tests'] | undefined;
}

type PolicyStores = Pick<Stores, 'policies'>;

/** One policy more only asks for more: whoever may write policies may make one. */
export async function createPolicy(
  deps: RuleDeps,
  stores: PolicyStores,
  tell: Tell,
  asked: NewPolicy,
): Promise<PolicyRecord> {
  await stores.policies.lock('alone');
  const now = deps.clock.now();
  const policies = await stores.policies.active();
  const taken = policies.find(({ name }) => name === asked.name);
  if (taken !== undefined) {
    throw new RegistryRefusal('already_exists', `there is a policy ${asked.name} already`, {
      pointer: '/name',
      existing: taken.id,
    });
  }
  if (policies.length >= MOST_POLICIES) {
    throw new RegistryRefusal('limit_reached', `there are at most ${MOST_POLICIES} policies`);
  }
  requireTestsPass(asked);
  const record: PolicyRecord = {
    id: newId('pol', deps.random),
    ...asked,
    state: 'active',
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
  await stores.policies.insert(record);
  tell({ type: 'policy.created', resource: record.id, after: policyView(record) });
  return record;
}

/**
 * The record with the change made; the same record, and no event, when there is nothing to change. `requireAdmin` throws
 * unless a person with the role admin asks: a policy that a machine could loosen would hold nobody.
 */
export async function changePolicy(
  deps: RuleDeps,
  stores: PolicyStores,
  tell: Tell,
  record: PolicyRecord,
  change: PolicyChange,
  requireAdmin: () => void,
): Promise<PolicyRecord> {
  const changed: PolicyRecord = {
    ...record,
    parameters: change.parameters ?? record.parameters,
    mode: change.mode ?? record.mode,
    match: change.match ?? record.match,
    tests: change.tests ?? record.tests,
  };
  // As it is shown: a member that is undefined is not there.
  if (same(policyView(changed), policyView(record))) return record;
  requireAdmin();
  if (record.state === 'deleted') {
    throw new RegistryRefusal('illegal_transition', 'a policy that is deleted does not change any more');
  }
  requireTestsPass(changed);
  return await replace(deps, stores, tell, record, changed, 'policy.updated');
}

/** Exceptions from it stay where they are, and mean nothing any more. */
export async function deletePolicy(
  deps: RuleDeps,
  stores: PolicyStores,
  tell: Tell,
  record: PolicyRecord,
  requireAdmin: () => void,
): Promise<PolicyRecord> {
  if (record.state === 'deleted') return record;
  requireAdmin();
  return await replace(deps, stores, tell, record, { ...record, state: 'deleted' }, 'policy.deleted');
}

/** A policy that does not do what its own tests say is not made. */
function requireTestsPass(policy: NewPolicy): void {
  const failures = failuresOf(policy, policy.tests);
  if (failures.length === 0) return;
  throw new RegistryRefusal('policy_test_failed', testFailureText(policy.name, failures), {
    pointer: '/tests',
  });
}

/** What was expected and what came, of the first few. */
export function testFailureText(policy: string, failures: ReturnType<typeof failuresOf>): string {
  const said = failures.slice(0, 5).map(({ name, expected, came, why }) => {
    const found = why.length === 0 ? 'it found nothing' : `it found: ${why.join('; ')}`;
    return `"${name}" expected ${expected}, and ${came} came (${found})`;
  });
  const more = failures.length > 5 ? ` and ${failures.length - 5} more` : '';
  return `policy "${policy}": ${said.join(', ')}${more}`;
}

async function replace(
  deps: RuleDeps,
  stores: PolicyStores,
  tell: Tell,
  before: PolicyRecord,
  after: PolicyRecord,
  type: string,
): Promise<PolicyRecord> {
  await stores.policies.lock('alone');
  const next = { ...after, updatedAt: deps.clock.now(), version: before.version + 1 };
  await stores.policies.replace(next);
  tell({ type, resource: before.id, before: policyView(before), after: policyView(next) });
  return next;
}
