import { z } from 'zod';
import { approvalApprove, approvalDecision, approvalReject, pendingApproval } from './decisions.ts';
import { accessConditions, accessConditionsPatch } from './conditions.ts';
import { operation } from './contract.ts';
import {
  identityRef,
  instant,
  page,
  pageQuery,
  positive,
  prose,
  reason,
  recordId,
  resourceServerRef,
  scopeName,
  scopeNames,
  span,
} from './fields.ts';
import { accessUsage } from './usage.ts';

export const ACCESS_STATES = [
  'requested',
  'active',
  'suspended',
  'rejected',
  'lapsed',
  'revoked',
  'expired',
] as const;
export type AccessState = (typeof ACCESS_STATES)[number];

/** Members that a person may write; shared by creation and declared documents. */
export const accessMembers = {
  identity: identityRef.describe('Id or client_id'),
  resource_server: resourceServerRef.describe('Id or identifier'),
  scopes: scopeNames,
  justification: prose(1000),
  token_lifetime: positive(86_400).optional().describe('Seconds; a ceiling for tokens under this access'),
  conditions: accessConditions
    .optional()
    .describe(
      'When tokens are issued under this access, and its scopes to stand for the API are of use, at all',
    ),
};

export const accessCreate = z
  .strictObject({
    ...accessMembers,
    expires_at: instant.describe("Narrowed to the identity's end; the answer states it"),
  })
  .meta({ id: 'AccessCreate' });

/** Merge patch (RFC 7396): null removes. */
export const accessPatch = z
  .strictObject({
    scopes: scopeNames.optional(),
    justification: prose(1000).optional(),
    token_lifetime: positive(86_400).nullable().optional(),
    conditions: accessConditionsPatch.nullable().optional(),
    expires_at: instant.optional(),
  })
  .meta({ id: 'AccessPatch' });

export const accessRenew = z
  .strictObject({
    expires_at: instant.describe("Later than now; narrowed to the identity's end"),
    justification: prose(1000).optional().describe('Why it is still needed'),
  })
  .meta({ id: 'AccessRenew' });

export const access = z
  .object({
    id: z.string(),
    identity: z.string().describe('Id of the identity'),
    client_id: z.string(),
    resource_server: z.string().describe('Id of the resource server'),
    resource: z.string().describe('Identifier of the resource server: the `resource` of a token request'),
    scopes: z.array(z.string()),
    justification: z.string(),
    state: z.enum(ACCESS_STATES),
    requested_by: z.string(),
    approved_by: z.string().nullable(),
    approved_at: instant.nullable(),
    token_lifetime: z.int().nullable(),
    conditions: accessConditions.nullable(),
    approval: z.string().nullable().describe('The approval request under which it came to what it is'),
    expires_at: instant,
    created_at: instant,
    updated_at: instant,
    version: z.int(),
    expiring: z.boolean().optional().describe('Active and near its end; in answers about what is so now'),
    pending: pendingApproval
      .nullable()
      .optional()
      .describe('What waits for people; in answers about what is so now'),
    approvals: z
      .array(approvalDecision)
      .optional()
      .describe('Who approved; where one access or an instant is asked for'),
    usage: accessUsage.optional().describe('In answers to GET about what is so now'),
  })
  .meta({ id: 'Access' });
export type Access = z.output<typeof access>;

const params = z.strictObject({ id: recordId });

export const accessOperations = {
  'access.create': operation({
    method: 'POST',
    path: '/v1/access',
    summary: 'Give an identity access to scopes of a resource server',
    scopes: ['access:write'],
    body: accessCreate,
    response: access,
    status: 201,
  }),
  'access.list': operation({
    method: 'GET',
    path: '/v1/access',
    summary: 'Who has access to what, now or at an instant',
    scopes: ['access:read'],
    query: z.strictObject({
      ...pageQuery,
      identity: identityRef.optional(),
      resource_server: resourceServerRef.optional(),
      scope: scopeName.optional(),
      state: z
        .enum([...ACCESS_STATES, 'expiring'])
        .optional()
        .describe('`expiring`: active and near its end, the nearest first'),
      as_of: instant.optional().describe('As it was at this instant'),
      used_within: span
        .optional()
        .describe('Used in this span until now, by that scope if one is named; at most 400d'),
      unused_for: span.optional().describe('Known not to be used in this span until now; at most 400d'),
    }),
    response: page(access),
  }),
  'access.get': operation({
    method: 'GET',
    path: '/v1/access/{id}',
    summary: 'Show an access',
    scopes: ['access:read'],
    params,
    query: z.strictObject({
      within: span
        .optional()
        .describe('What `usage` is about: this span until now; 30d by default, at most 400d'),
    }),
    response: access,
  }),
  'access.patch': operation({
    method: 'PATCH',
    path: '/v1/access/{id}',
    summary: 'Change scopes, justification, token lifetime, conditions or end of an access',
    scopes: ['access:write'],
    params,
    body: accessPatch,
    response: access,
  }),
  'access.renew': operation({
    method: 'POST',
    path: '/v1/access/{id}/renew',
    summary: 'Ask that an access ends later',
    scopes: ['access:write'],
    params,
    body: accessRenew,
    response: access,
    ifMatch: 'optional',
  }),
  'access.approve': operation({
    method: 'POST',
    path: '/v1/access/{id}/approve',
    summary: 'Approve what is asked for with an access; people only',
    scopes: ['approvals:write'],
    params,
    body: approvalApprove,
    response: access,
  }),
  'access.reject': operation({
    method: 'POST',
    path: '/v1/access/{id}/reject',
    summary: 'Reject what is asked for with an access; people only',
    scopes: ['approvals:write'],
    params,
    body: approvalReject,
    response: access,
    destructive: true,
  }),
  'access.restore': operation({
    method: 'POST',
    path: '/v1/access/{id}/restore',
    summary: 'Give back an access that is suspended; people only',
    scopes: ['approvals:write'],
    params,
    body: z.strictObject({ reason }),
    response: access,
    ifMatch: 'optional',
  }),
  'access.revoke': operation({
    method: 'DELETE',
    path: '/v1/access/{id}',
    summary: 'Revoke an access',
    scopes: ['access:write'],
    params,
    response: access,
  }),
};
