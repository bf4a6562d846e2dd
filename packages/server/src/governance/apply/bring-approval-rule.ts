import { changeApprovalRule, createApprovalRule } from '../../registry/approval/approval-rule.ts';
import type { Tell } from '../../registry/change-rules.ts';
import { requireWithin } from '../../registry/own-access.ts';
import { RegistryRefusal } from '../../registry/refusal.ts';
import type { Stores } from '../../storage/storage.ts';
import type { Application } from './application.ts';
import type { DeclaredApprovalRule } from './declared.ts';

/** Who may apply documents need not be who may say what needs approval. */
const WRITE = 'approval-rules:write';

export async function bringApprovalRule(
  { deps, ceiling, requireAdminPerson }: Application,
  stores: Stores,
  tell: Tell,
  { name, rule }: DeclaredApprovalRule,
): Promise<void> {
  requireWithin(ceiling, [WRITE]);
  const record = await stores.approvalRules.byName(name);
  if (record === undefined) {
    await createApprovalRule(deps, stores, tell, { name, ...rule });
    return;
  }
  if (record.subject !== rule.subject) {
    throw new RegistryRefusal('illegal_transition', `it is about ${record.subject}, which does not change`, {
      pointer: '/subject',
    });
  }
  await changeApprovalRule(deps, stores, tell, record, rule, requireAdminPerson);
}
