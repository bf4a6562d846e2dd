// Questions about access at an instant: who held what, and why something is allowed or not.
import { z } from 'zod';
import { operation } from './contract.ts';
import { approvalDecision } from './decisions.ts';
import { identityRef, instant, page, pageQuery, resourceServerRef, scopeName } from './fields.ts';
import { IDENTITY_STATES } from './identities.ts';

/** One who held a scope at an instant. */
export const accessHolder = z
  .object({
    identity: z.string().describe('Id of the identity'),
    client_id: z.string(),
    owner: z.object({
      person: z.string(),
      backup: z.string().nullable(),
      team: z.string().nullable(),
    }),
    identity_state: z.enum(IDENTITY_STATES).describe('At that instant'),
    could_act: z.boolean().describe('The identity was active and not over, so that it could use the access'),
    access: z.string().describe('Id of the access'),
    version: z.int().describe('The version of the access that held at that instant'),
    since: instant.describe('From when on that version held'),
    expires_at: instant,
    scopes: z.array(z.string()),
    justification: z.string(),
    requested_by: z.string(),
    approved_by: z.string().nullable(),
    approval: z.string().nullable().describe('The approval request; null: no rule asked for one'),
    approvals: z.array(approvalDecision),
  })
  .meta({ id: 'AccessHolder' });
export type AccessHolder = z.output<typeof accessHolder>;

export const ACCESS_LINKS = [
  'identity',
  'credential',
  'access',
  'scope',
  'approvals',
  'conditions',
  'policy',
] as const;
export type AccessLink = (typeof ACCESS_LINKS)[number];

export const accessExplanation = z
  .object({
    at: instant,
    identity: z.string().describe('client_id'),
    resource_server: z.string().describe('Identifier'),
    scope: z.string(),
    allowed: z.boolean(),
    blocked_by: z.enum(ACCESS_LINKS).nullable().describe('The first link that does not hold'),
    links: z.array(
      z.object({
        link: z.enum(ACCESS_LINKS),
        ok: z.boolean(),
        id: z.string().nullable().describe('Of the record that decides it'),
        detail: z.string(),
      }),
    ),
    approvals: z.array(approvalDecision),
  })
  .meta({ id: 'AccessExplanation' });
export type AccessExplanation = z.output<typeof accessExplanation>;

const at = instant.optional().describe('As it was at this instant; now when absent');

/** Before `/v1/access/{id}`: their paths have the same shape. */
export const accessHistoryOperations = {
  'access.holders': operation({
    method: 'GET',
    path: '/v1/access/holders',
    summary: 'Who held a scope of a resource server at an instant, and who approved it',
    scopes: ['access:read'],
    query: z.strictObject({ ...pageQuery, resource_server: resourceServerRef, scope: scopeName, at }),
    response: page(accessHolder),
  }),
  'access.explain': operation({
    method: 'GET',
    path: '/v1/access/explain',
    summary: 'Why an identity may, or may not, use a scope at an instant',
    scopes: ['access:read'],
    query: z.strictObject({
      identity: identityRef,
      resource_server: resourceServerRef,
      scope: scopeName,
      at,
    }),
    response: accessExplanation,
  }),
};
