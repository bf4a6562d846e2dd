import { newId } from '../../ids.ts';
import type { ApprovalRuleRecord } from '../../storage/approval-rules.ts';
import type { Stores } from '../../storage/storage.ts';
import { type RuleDeps, same, type Tell } from '../change-rules.ts';
import { RegistryRefusal } from '../refusal.ts';
import { approvalRuleView } from './view.ts';

/** All are looked at for each thing that is asked for. */
const MOST_RULES = 100;

export type NewApprovalRule = Pick<
  ApprovalRuleRecord,
  'name' | 'subject' | 'match' | 'steps' | 'ownerMayApprove'
>;
/** Members to change, each as a whole; absent ones stay. */
export interface ApprovalRuleChange {
  readonly match?: ApprovalRuleRecord['match'] | undefined;
  readonly steps?: ApprovalRuleRecord['steps'] | undefined;
  readonly ownerMayApprove?: boolean | undefined;
}

/** One rule more only asks for more: whoever may write rules may make one. */
export async function createApprovalRule(
  deps: RuleDeps,
  stores: Pick<Stores, 'approvalRules'>,
  tell: Tell,
  asked: NewApprovalRule,
): Promise<ApprovalRuleRecord> {
  const now = deps.clock.now();
  const rules = await stores.approvalRules.active();
  const taken = rules.find(({ name }) => name === asked.name);
  if (taken !== undefined) {
    throw new RegistryRefusal('already_exists', `there is a rule ${asked.name} already`, {
      pointer: '/name',
      existing: taken.id,
    });
  }
  if (rules.length >= MOST_RULES) {
    throw new RegistryRefusal('limit_reached', `there are at most ${MOST_RULES} approval rules`);
  }
  const record: ApprovalRuleRecord = {
    id: newId('apr', deps.random),
    ...asked,
    state: 'active',
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
  await stores.approvalRules.insert(record);
  tell({ type: 'approval_rule.created', resource: record.id, after: approvalRuleView(record) });
  return record;
}

/**
 * The record with the change made; the same record, and no event, when there is nothing to change. `requireAdmin` throws
 * unless a person with the role admin asks: a rule that a machine could loosen would hold nobody.
 */
export async function changeApprovalRule(
  deps: RuleDeps,
  stores: Pick<Stores, 'approvalRules'>,
  tell: Tell,
  record: ApprovalRuleRecord,
  change: ApprovalRuleChange,
  requireAdmin: () => void,
): Promise<ApprovalRuleRecord> {
  const changed: ApprovalRuleRecord = {
    ...record,
    match: change.match ?? record.match,
    steps: change.steps ?? record.steps,
    ownerMayApprove: change.ownerMayApprove ?? record.ownerMayApprove,
  };
  // As it is shown: a member that is undefined is not there.
  if (same(approvalRuleView(changed), approvalRuleView(record))) return record;
  requireAdmin();
  requireLive(record);
  return await replace(deps, stores, tell, record, changed, 'approval_rule.updated');
}

/** What waits keeps waiting: for one approver at least. */
export async function deleteApprovalRule(
  deps: RuleDeps,
  stores: Pick<Stores, 'approvalRules'>,
  tell: Tell,
  record: ApprovalRuleRecord,
  requireAdmin: () => void,
): Promise<ApprovalRuleRecord> {
  if (record.state === 'deleted') return record;
  requireAdmin();
  return await replace(deps, stores, tell, record, { ...record, state: 'deleted' }, 'approval_rule.deleted');
}

function requireLive({ state }: ApprovalRuleRecord): void {
  if (state === 'deleted')
    throw new RegistryRefusal('illegal_transition', 'a rule that is deleted does not change any more');
}

async function replace(
  deps: RuleDeps,
  stores: Pick<Stores, 'approvalRules'>,
  tell: Tell,
  before: ApprovalRuleRecord,
  after: ApprovalRuleRecord,
  type: string,
): Promise<ApprovalRuleRecord> {
  const next = { ...after, updatedAt: deps.clock.now(), version: before.version + 1 };
  await stores.approvalRules.replace(next);
  tell({ type, resource: before.id, before: approvalRuleView(before), after: approvalRuleView(next) });
  return next;
}
