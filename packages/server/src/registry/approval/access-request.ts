import type { Actor } from '../../audit/change.ts';
import type { AccessRecord } from '../../storage/access.ts';
import type { ApprovalRequestRecord } from '../../storage/approvals.ts';
import type { AccessEnds } from '../access-ends.ts';
import type { Tell } from '../change-rules.ts';
import { isWider } from '../widening.ts';
import { accessContent, accessFacts } from './content.ts';
import { isAuthority } from './party.ts';
import { type ApprovalDeps, type ApprovalStores, openRequest } from './request.ts';
import { requirementsOf } from './requirement.ts';

/** Whether people have to be asked before this is so. `before` undefined: there was nothing. */
export async function needsApproval(
  stores: Pick<ApprovalStores, 'approvalRules'>,
  ends: AccessEnds,
  before: AccessRecord | undefined,
  after: AccessRecord,
  by: Actor,
): Promise<boolean> {
  if (isAuthority(by)) return false;
  if (before !== undefined && !isWider(before, after)) return false;
  return requirementsOf(await stores.approvalRules.active(), accessFacts(after.scopes, ends)).length > 0;
}

/** Lets an access, or what is to become of one, wait for people. */
export async function requestAccess(
  deps: ApprovalDeps,
  stores: ApprovalStores,
  tell: Tell,
  ends: AccessEnds,
  op: ApprovalRequestRecord['op'],
  asked: AccessRecord,
  by: Actor,
): Promise<ApprovalRequestRecord> {
  return await openRequest(deps, stores, tell, {
    op,
    subject: 'access',
    subjectId: asked.id,
    identityId: ends.identity.id,
    resourceServerId: ends.resourceServer.id,
    content: accessContent(asked, ends),
    sensitivity: accessFacts(asked.scopes, ends).sensitivity,
    by,
  });
}

/** What was asked for, as the record that it would be. */
export function askedAccess(record: AccessRecord, { content }: ApprovalRequestRecord): AccessRecord {
  // Written by accessContent, and never changed since.
  const asked = content as {
    readonly scopes: readonly string[];
    readonly conditions: AccessRecord['conditions'] | null;
    readonly token_lifetime: number | null;
    readonly expires_at: string;
    readonly justification: string;
  };
  return {
    ...record,
    // In the order of before as far as it is the same.
    scopes: [
      ...record.scopes.filter((scope) => asked.scopes.includes(scope)),
      ...asked.scopes.filter((scope) => !record.scopes.includes(scope)),
    ],
    conditions: asked.conditions ?? undefined,
    tokenLifetime: asked.token_lifetime ?? undefined,
    expiresAt: Date.parse(asked.expires_at),
    justification: asked.justification,
  };
}
