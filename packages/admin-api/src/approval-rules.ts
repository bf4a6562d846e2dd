import { z } from 'zod';
import { operation } from './contract.ts';
import {
  instant,
  name,
  page,
  pageQuery,
  positive,
  recordId,
  resourceIdentifier,
  sensitivity,
} from './fields.ts';
import { ENVIRONMENTS, IDENTITY_KINDS } from './identities.ts';

/** What a rule can ask approval of. */
export const APPROVAL_SUBJECTS = ['access', 'identity'] as const;
export type ApprovalSubject = (typeof APPROVAL_SUBJECTS)[number];
/** Roles whose holders a step may take approvals from. */
export const APPROVER_ROLES = ['admin', 'approver'] as const;
export type ApproverRole = (typeof APPROVER_ROLES)[number];

const unique = (list: readonly string[]): boolean => new Set(list).size === list.length;
const NOT_TWICE = 'must not repeat one';

/** A member that is left out matches all; one that is there must hold. */
export const approvalMatch = z
  .strictObject({
    environments: z.array(z.enum(ENVIRONMENTS)).min(1).refine(unique, NOT_TWICE).optional(),
    kinds: z.array(z.enum(IDENTITY_KINDS)).min(1).refine(unique, NOT_TWICE).optional(),
    min_sensitivity: sensitivity
      .optional()
      .describe('Of the most sensitive scope asked for, or of the identity'),
    resource_servers: z
      .array(resourceIdentifier)
      .min(1)
      .max(100)
      .refine(unique, NOT_TWICE)
      .optional()
      .describe('Identifiers; not for identities'),
    third_party: z.boolean().optional().describe('Whether the identity is of kind third_party'),
  })
  .meta({ id: 'ApprovalMatch' });

export const approvalStep = z
  .strictObject({
    quorum: positive(10).describe('How many different people'),
    roles: z.array(z.enum(APPROVER_ROLES)).refine(unique, NOT_TWICE).default([]),
    teams: z.array(name).max(50).refine(unique, NOT_TWICE).default([]),
    people: z.array(name).max(100).refine(unique, NOT_TWICE).default([]).describe('Handles'),
  })
  .refine((step) => step.roles.length + step.teams.length + step.people.length > 0, {
    error: 'needs somebody to ask: roles, teams or people',
    path: ['roles'],
  })
  .refine((step) => step.roles.length > 0 || step.teams.length > 0 || step.people.length >= step.quorum, {
    error: 'asks more people than it names',
    path: ['quorum'],
  })
  .meta({ id: 'ApprovalStep' });

/** Members that a person may write; shared by creation and declared documents. */
export const approvalRuleMembers = {
  subject: z.enum(APPROVAL_SUBJECTS).default('access').describe('What it asks approval of'),
  match: approvalMatch.prefault({}),
  steps: z.array(approvalStep).min(1).max(5),
  owner_may_approve: z
    .boolean()
    .default(true)
    .describe('Whether the owner of the identity may approve what others ask for it'),
};

const isIdentityRule = (rule: { readonly subject?: string | undefined }): boolean =>
  rule.subject === 'identity';
/** Identities have no resource server. */
export const fitsSubject = (rule: {
  readonly subject?: string | undefined;
  readonly match: { readonly resource_servers?: readonly string[] | undefined };
}): boolean => !isIdentityRule(rule) || rule.match.resource_servers === undefined;
export const AT_RESOURCE_SERVERS = {
  error: 'an identity is asked for at no resource server',
  path: ['match', 'resource_servers'],
};

export const approvalRuleCreate = z
  .strictObject({ name, ...approvalRuleMembers })
  .refine(fitsSubject, AT_RESOURCE_SERVERS)
  .meta({ id: 'ApprovalRuleCreate' });

/** Each member is replaced as a whole. */
export const approvalRulePatch = z
  .strictObject({
    match: approvalMatch.optional(),
    steps: z.array(approvalStep).min(1).max(5).optional(),
    owner_may_approve: z.boolean().optional(),
  })
  .meta({ id: 'ApprovalRulePatch' });

export const approvalRule = z
  .object({
    id: z.string(),
    name: z.string(),
    subject: z.enum(APPROVAL_SUBJECTS),
    match: approvalMatch,
    steps: z.array(approvalStep),
    owner_may_approve: z.boolean(),
    state: z.enum(['active', 'deleted']),
    created_at: instant,
    updated_at: instant,
    version: z.int(),
  })
  .meta({ id: 'ApprovalRule' });
export type ApprovalRule = z.output<typeof approvalRule>;

const params = z.strictObject({ id: recordId });

export const approvalRuleOperations = {
  'approval-rules.create': operation({
    method: 'POST',
    path: '/v1/approval-rules',
    summary: 'Say what needs the approval of people',
    scopes: ['approval-rules:write'],
    body: approvalRuleCreate,
    response: approvalRule,
    status: 201,
  }),
  'approval-rules.list': operation({
    method: 'GET',
    path: '/v1/approval-rules',
    summary: 'List what needs the approval of people, oldest first',
    scopes: ['approval-rules:read'],
    query: z.strictObject({ ...pageQuery }),
    response: page(approvalRule),
  }),
  'approval-rules.get': operation({
    method: 'GET',
    path: '/v1/approval-rules/{id}',
    summary: 'Show an approval rule',
    scopes: ['approval-rules:read'],
    params,
    response: approvalRule,
  }),
  'approval-rules.patch': operation({
    method: 'PATCH',
    path: '/v1/approval-rules/{id}',
    summary: 'Change an approval rule; people only',
    scopes: ['approval-rules:write'],
    params,
    body: approvalRulePatch,
    response: approvalRule,
  }),
  'approval-rules.delete': operation({
    method: 'DELETE',
    path: '/v1/approval-rules/{id}',
    summary: 'Remove an approval rule; people only',
    scopes: ['approval-rules:write'],
    params,
    response: approvalRule,
  }),
};
