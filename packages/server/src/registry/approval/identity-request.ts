import type { Actor } from '../../audit/change.ts';
import type { ApprovalRequestRecord } from '../../storage/approvals.ts';
import type { IdentityRecord } from '../../storage/identities.ts';
import type { Tell } from '../change-rules.ts';
import { identityContent, identityFacts } from './content.ts';
import { isAuthority } from './party.ts';
import { type ApprovalDeps, type ApprovalStores, openRequest } from './request.ts';
import { requirementsOf } from './requirement.ts';

/** Whether people have to be asked before this identity goes to work. */
export async function identityNeedsApproval(
  stores: Pick<ApprovalStores, 'approvalRules'>,
  record: IdentityRecord,
  by: Pick<Actor, 'identity'>,
): Promise<boolean> {
  if (isAuthority(by)) return false;
  return requirementsOf(await stores.approvalRules.active(), identityFacts(record)).length > 0;
}

/** Lets an identity that is `requested` wait for people. */
export async function requestIdentity(
  deps: ApprovalDeps,
  stores: ApprovalStores,
  tell: Tell,
  record: IdentityRecord,
  by: Actor,
): Promise<ApprovalRequestRecord> {
  return await openRequest(deps, stores, tell, {
    op: 'create',
    subject: 'identity',
    subjectId: record.id,
    identityId: record.id,
    resourceServerId: undefined,
    content: identityContent(record),
    sensitivity: record.sensitivity,
    by,
  });
}
