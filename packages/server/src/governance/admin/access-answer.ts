import type { Access, PendingApproval } from '@countersign/admin-api';
import { accessFacts } from '../../registry/approval/content.ts';
import { askedAccess } from '../../registry/approval/access-request.ts';
import { readProgress } from '../../registry/approval/decide.ts';
import type { AskedFacts } from '../../registry/approval/requirement.ts';
import { type DecisionView, decisionView } from '../../registry/approval/view.ts';
import type { AccessEnds } from '../../registry/access-ends.ts';
import { type AccessView, accessView, rfc3339 } from '../../registry/views.ts';
import type { AccessRecord } from '../../storage/access.ts';
import type { ApprovalDecisionRecord, ApprovalRequestRecord } from '../../storage/approvals.ts';
import type { Stores } from '../../storage/storage.ts';

export type AnswerStores = Pick<Stores, 'approvals' | 'approvalRules'>;

export interface AnswerDeps {
  readonly clock: { now(): number };
  /** Milliseconds before its end from which on an access is expiring. */
  readonly expiringWithin: number;
}

/** One access as it is now: near its end or not, what waits about it, and who approved it. */
export async function accessAnswer(
  deps: AnswerDeps,
  stores: AnswerStores,
  record: AccessRecord,
  ends: AccessEnds,
): Promise<AccessView & Pick<Access, 'expiring' | 'pending' | 'approvals'>> {
  const [pending] = await stores.approvals.pendingOf([record.id]);
  const said = await decisionsByRequest(stores, [record]);
  return {
    ...accessView(record, ends.identity.clientId, ends.resourceServer.identifier),
    expiring: isExpiring(deps, record),
    pending:
      pending === undefined ? null : await pendingView(stores, pending, askedFacts(record, ends, pending)),
    approvals: said(record),
  };
}

export function isExpiring({ clock, expiringWithin }: AnswerDeps, record: AccessRecord): boolean {
  const left = record.expiresAt - clock.now();
  return record.state === 'active' && left > 0 && left <= expiringWithin;
}

/** What rules look at, of what is asked for. */
export function askedFacts(
  record: AccessRecord,
  ends: AccessEnds,
  request: ApprovalRequestRecord,
): AskedFacts {
  return accessFacts(askedAccess(record, request).scopes, ends);
}

/** What waits, and how far it is by the rules that match these facts. */
export async function pendingView(
  stores: AnswerStores,
  request: ApprovalRequestRecord,
  facts: AskedFacts,
): Promise<PendingApproval> {
  const { progress } = await readProgress(stores, request, facts);
  return {
    approval: request.id,
    content_hash: request.contentHash,
    content: { ...request.content },
    given: progress.reduce((sum, { asks, given }) => sum + Math.min(given, asks.quorum), 0),
    needed: progress.reduce((sum, { asks }) => sum + asks.quorum, 0),
    expires_at: rfc3339(request.expiresAt),
  };
}

/** Who said what under which these versions came about: one look for all of them. */
export async function decisionsByRequest(
  stores: Pick<Stores, 'approvals'>,
  records: readonly AccessRecord[],
): Promise<(record: AccessRecord) => DecisionView[]> {
  const ids = [...new Set(records.flatMap(({ approvalId }) => approvalId ?? []))];
  const byRequest = new Map<string, ApprovalDecisionRecord[]>();
  for (const decision of await stores.approvals.decisionsOf(ids)) {
    const known = byRequest.get(decision.requestId);
    if (known === undefined) byRequest.set(decision.requestId, [decision]);
    else known.push(decision);
  }
  return ({ approvalId }) => (byRequest.get(approvalId ?? '') ?? []).map(decisionView);
}
