import type { ApprovalRuleRecord } from '../../storage/approval-rules.ts';
import type { ApprovalDecisionRecord, ApprovalRequestRecord } from '../../storage/approvals.ts';
import { rfc3339 } from '../views.ts';

/** What one person said, as answers and events show it. */
export interface DecisionView {
  decision: 'approve' | 'reject';
  person: string;
  issuer: string;
  subject: string;
  comment: string | null;
  content_hash: string;
  at: string;
}

export function decisionView(record: ApprovalDecisionRecord): DecisionView {
  return {
    decision: record.decision,
    person: record.handle,
    issuer: record.issuer,
    subject: record.subject,
    comment: record.comment ?? null,
    content_hash: record.contentHash,
    at: rfc3339(record.at),
  };
}

/** What an event says of the request it is about. */
export interface AskedView {
  id: string;
  op: 'create' | 'change';
  content_hash: string;
  content: Readonly<Record<string, unknown>>;
  requested_by: string;
  expires_at: string;
}

export function askedView(request: ApprovalRequestRecord): AskedView {
  return {
    id: request.id,
    op: request.op,
    content_hash: request.contentHash,
    content: request.content,
    requested_by: request.requestedBy,
    expires_at: rfc3339(request.expiresAt),
  };
}

export interface ApprovalRuleView {
  id: string;
  name: string;
  subject: ApprovalRuleRecord['subject'];
  match: {
    environments?: ('dev' | 'test' | 'staging' | 'prod')[];
    kinds?: ('service' | 'job' | 'pipeline' | 'device' | 'gateway' | 'agent' | 'third_party')[];
    min_sensitivity?: number;
    resource_servers?: string[];
    third_party?: boolean;
  };
  steps: {
    quorum: number;
    roles: ('admin' | 'approver')[];
    teams: string[];
    people: string[];
  }[];
  owner_may_approve: boolean;
  state: ApprovalRuleRecord['state'];
  created_at: string;
  updated_at: string;
  version: number;
}

export function approvalRuleView(record: ApprovalRuleRecord): ApprovalRuleView {
  const { environments, kinds, minSensitivity, resourceServers, thirdParty } = record.match;
  return {
    id: record.id,
    name: record.name,
    subject: record.subject,
    match: {
      ...(environments === undefined ? {} : { environments: [...environments] }),
      ...(kinds === undefined ? {} : { kinds: [...kinds] }),
      ...(minSensitivity === undefined ? {} : { min_sensitivity: minSensitivity }),
      ...(resourceServers === undefined ? {} : { resource_servers: [...resourceServers] }),
      ...(thirdParty === undefined ? {} : { third_party: thirdParty }),
    },
    steps: record.steps.map(({ quorum, roles, teams, people }) => ({
      quorum,
      roles: [...roles],
      teams: [...teams],
      people: [...people],
    })),
    owner_may_approve: record.ownerMayApprove,
    state: record.state,
    created_at: rfc3339(record.createdAt),
    updated_at: rfc3339(record.updatedAt),
    version: record.version,
  };
}
