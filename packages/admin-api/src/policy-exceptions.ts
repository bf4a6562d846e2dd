import { z } from 'zod';
import { operation } from './contract.ts';
import { identityRef, instant, page, pageQuery, reason, recordId, text } from './fields.ts';

/** A policy by id (`pol_…`) or name. */
export const policyRef = text(200);

/** Members that a person writes; shared by creation and declared documents. */
export const policyExceptionMembers = {
  policy: policyRef.describe('Id or name'),
  identity: identityRef.describe('Id or client_id'),
  reason,
};

export const policyExceptionCreate = z
  .strictObject({ ...policyExceptionMembers, expires_at: instant.describe('At most a year ahead') })
  .meta({ id: 'PolicyExceptionCreate' });

export const policyException = z
  .object({
    id: z.string(),
    policy: z.string().describe('Id of the policy'),
    policy_name: z.string(),
    identity: z.string().describe('Id of the identity'),
    client_id: z.string(),
    reason: z.string(),
    approved_by: z.string(),
    expires_at: instant,
    state: z.enum(['active', 'revoked', 'expired']),
    created_at: instant,
    updated_at: instant,
    version: z.int(),
  })
  .meta({ id: 'PolicyException' });
export type PolicyException = z.output<typeof policyException>;

const params = z.strictObject({ id: recordId });

export const policyExceptionOperations = {
  'policy-exceptions.create': operation({
    method: 'POST',
    path: '/v1/policy-exceptions',
    summary: 'Except an identity from a policy for a time, and answer for it; people only',
    scopes: ['approvals:write'],
    body: policyExceptionCreate,
    response: policyException,
    status: 201,
  }),
  'policy-exceptions.list': operation({
    method: 'GET',
    path: '/v1/policy-exceptions',
    summary: 'List who is excepted from which policy, oldest first',
    scopes: ['policies:read'],
    query: z.strictObject({
      ...pageQuery,
      policy: policyRef.optional().describe('Id or name'),
      identity: identityRef.optional(),
    }),
    response: page(policyException),
  }),
  'policy-exceptions.get': operation({
    method: 'GET',
    path: '/v1/policy-exceptions/{id}',
    summary: 'Show an exception from a policy',
    scopes: ['policies:read'],
    params,
    response: policyException,
  }),
  'policy-exceptions.revoke': operation({
    method: 'DELETE',
    path: '/v1/policy-exceptions/{id}',
    summary: 'End an exception from a policy',
    scopes: ['policies:write'],
    params,
    response: policyException,
  }),
};
