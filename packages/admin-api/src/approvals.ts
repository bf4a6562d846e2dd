import { z } from 'zod';
import { APPROVAL_SUBJECTS } from './approval-rules.ts';
import { operation } from './contract.ts';
import { approvalApprove, approvalDecision, approvalReject } from './decisions.ts';
import { identityRef, instant, page, pageQuery, recordId, resourceServerRef } from './fields.ts';

export const APPROVAL_STATES = ['pending', 'approved', 'rejected', 'void', 'lapsed'] as const;
export type ApprovalState = (typeof APPROVAL_STATES)[number];

export const approvalProgress = z
  .object({
    rule: z.string().describe('Name of the rule that asks for it'),
    step: z.int().describe('Counted from 1'),
    quorum: z.int(),
    given: z.int(),
    roles: z.array(z.string()),
    teams: z.array(z.string()),
    people: z.array(z.string()),
  })
  .meta({ id: 'ApprovalProgress' });

export const approval = z
  .object({
    id: z.string(),
    subject: z.object({ kind: z.enum(APPROVAL_SUBJECTS), id: z.string() }).describe('What it is about'),
    op: z.enum(['create', 'change']),
    client_id: z.string(),
    resource: z.string().nullable().describe('Identifier of the resource server'),
    state: z.enum(APPROVAL_STATES),
    reason: z.string().nullable().describe('Why it ended as it did'),
    content: z.record(z.string(), z.unknown()).describe('What is asked for, as it is hashed'),
    content_hash: z.string().describe('SHA-256 of the canonical JSON (RFC 8785) of `content`'),
    present: z.record(z.string(), z.unknown()).nullable().describe('The same members as they are now'),
    changes: z.array(z.string()).describe('Members in which they differ'),
    sensitivity: z.int(),
    requested_by: z.string(),
    steps: z.array(approvalProgress),
    decisions: z.array(approvalDecision),
    expires_at: instant.describe('Undecided until then, it lapses'),
    created_at: instant,
    updated_at: instant,
    version: z.int(),
  })
  .meta({ id: 'Approval' });
export type Approval = z.output<typeof approval>;

const params = z.strictObject({ id: recordId });

export const approvalOperations = {
  'approvals.list': operation({
    method: 'GET',
    path: '/v1/approvals',
    summary: 'List what waits for approval, or was decided, oldest first',
    scopes: ['approvals:read'],
    query: z.strictObject({
      ...pageQuery,
      state: z.enum(APPROVAL_STATES).optional(),
      for: z.literal('me').optional().describe('That the signed-in person may decide'),
      subject: recordId.optional().describe('About this access or identity'),
      identity: identityRef.optional(),
      resource_server: resourceServerRef.optional(),
    }),
    response: page(approval),
  }),
  'approvals.get': operation({
    method: 'GET',
    path: '/v1/approvals/{id}',
    summary: 'Show what is asked for, its hash, and what it changes against the present',
    scopes: ['approvals:read'],
    params,
    response: approval,
  }),
  'approvals.approve': operation({
    method: 'POST',
    path: '/v1/approvals/{id}/approve',
    summary: 'Approve what is asked for; people only',
    scopes: ['approvals:write'],
    params,
    body: approvalApprove,
    response: approval,
  }),
  'approvals.reject': operation({
    method: 'POST',
    path: '/v1/approvals/{id}/reject',
    summary: 'Reject what is asked for; people only',
    scopes: ['approvals:write'],
    params,
    body: approvalReject,
    response: approval,
    destructive: true,
  }),
};
