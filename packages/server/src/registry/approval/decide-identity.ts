import type { ApprovalRequestRecord } from '../../storage/approvals.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Stores } from '../../storage/storage.ts';
import type { RuleDeps, Tell } from '../change-rules.ts';
import { moveIdentity } from '../lifecycle.ts';
import { RegistryRefusal } from '../refusal.ts';
import { identityFacts } from './content.ts';
import { approve, type Decision, reject } from './decide.ts';
import { toldOf } from './told.ts';

/** Notes the approval; when it was the last that was missing, the identity is approved in the same transaction. */
export async function approveIdentity(
  deps: RuleDeps,
  stores: Stores,
  tell: Tell,
  record: IdentityRecord,
  request: ApprovalRequestRecord,
  decision: Decision,
): Promise<IdentityRecord> {
  requireRequested(deps, record);
  const decided = await approve(deps, stores, request, identityFacts(record), decision);
  tell({
    type: 'identity.approval_given',
    resource: record.id,
    reason: decision.comment,
    after: { request: toldOf(decided) },
  });
  if (decided.request.state === 'pending') return record;
  const { actor, comment: reason } = decision;
  return await moveIdentity(deps, stores, tell, record, { move: 'approve', reason, actor });
}

export async function rejectIdentity(
  deps: RuleDeps,
  stores: Stores,
  tell: Tell,
  record: IdentityRecord,
  request: ApprovalRequestRecord,
  decision: Decision,
): Promise<IdentityRecord> {
  const decided = await reject(deps, stores, request, identityFacts(record), decision);
  tell({
    type: 'identity.rejection_given',
    resource: record.id,
    reason: decision.comment,
    after: { request: toldOf(decided) },
  });
  const { actor, comment: reason } = decision;
  return await moveIdentity(deps, stores, tell, record, { move: 'reject', reason, actor });
}

function requireRequested({ clock }: RuleDeps, { state, expiresAt }: IdentityRecord): void {
  if (state !== 'requested') throw new RegistryRefusal('illegal_transition', `the identity is ${state}`);
  if (expiresAt <= clock.now()) throw new RegistryRefusal('illegal_transition', 'the identity has expired');
}
