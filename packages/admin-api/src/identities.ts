import { z } from 'zod';
import { operation } from './contract.ts';
import { approvalApprove, approvalReject, pendingApproval } from './decisions.ts';
import { decommissionPlan, decommissionRequest } from './decommissioning.ts';
import {
  identityRef,
  instant,
  name,
  newClientId,
  page,
  pageQuery,
  prose,
  reason,
  sensitivity,
  text,
} from './fields.ts';
import { ownershipClock, ownershipOffer } from './ownership.ts';
import { riskSummary } from './risk.ts';

export const IDENTITY_KINDS = [
  'service',
  'job',
  'pipeline',
  'device',
  'gateway',
  'agent',
  'third_party',
] as const;
export type IdentityKind = (typeof IDENTITY_KINDS)[number];
export const ENVIRONMENTS = ['dev', 'test', 'staging', 'prod'] as const;
export type Environment = (typeof ENVIRONMENTS)[number];
export const CADENCES = [
  'continuous',
  'daily',
  'weekly',
  'monthly',
  'quarterly',
  'annual',
  'on_demand',
] as const;
export type Cadence = (typeof CADENCES)[number];
export const IDENTITY_STATES = [
  'draft',
  'requested',
  'approved',
  'active',
  'suspended',
  'decommissioning',
  'decommissioned',
  'rejected',
  'lapsed',
] as const;
export type IdentityState = (typeof IDENTITY_STATES)[number];

const purpose = prose(1000);

/** Members that a person may write; shared by creation and declared documents. */
export const identityMembers = {
  kind: z.enum(IDENTITY_KINDS),
  environment: z.enum(ENVIRONMENTS),
  purpose,
  owner: z.strictObject({
    person: name.describe('Accountable person'),
    backup: name.optional().describe('Backup person or team'),
    team: name.optional(),
  }),
  sensitivity: sensitivity.default(1).describe('0 (public) to 3 (most sensitive)'),
  cadence: z.enum(CADENCES).default('continuous').describe('How often it is expected to be used'),
};

export const identityCreate = z
  .strictObject({
    name,
    ...identityMembers,
    client_id: newClientId.optional().describe('Never given out twice; made from the name when absent'),
    expires_at: instant.describe('In the future, at most 10 years ahead'),
    state: z.enum(['draft', 'active']).default('active'),
  })
  .meta({ id: 'IdentityCreate' });

/** Merge patch (RFC 7396): null removes. */
export const identityPatch = z
  .strictObject({
    name: name.optional(),
    environment: z.enum(ENVIRONMENTS).optional(),
    purpose: purpose.optional(),
    owner: z
      .strictObject({
        person: name.optional(),
        backup: name.nullable().optional(),
        team: name.nullable().optional(),
      })
      .optional(),
    sensitivity: sensitivity.optional(),
    cadence: z.enum(CADENCES).optional(),
    expires_at: instant.optional(),
  })
  .meta({ id: 'IdentityPatch' });

export const identity = z
  .object({
    id: z.string(),
    client_id: z.string(),
    name: z.string(),
    kind: z.enum(IDENTITY_KINDS),
    environment: z.enum(ENVIRONMENTS),
    purpose: z.string(),
    owner: z.object({
      person: z.string(),
      backup: z.string().nullable(),
      team: z.string().nullable(),
    }),
    sensitivity: z.int(),
    cadence: z.enum(CADENCES),
    state: z.enum(IDENTITY_STATES),
    state_reason: z.string().nullable(),
    state_since: instant,
    activation: z
      .enum(['first_proof'])
      .nullable()
      .describe('first_proof: once approved it becomes active when it first proves who it is'),
    decommissioning: decommissionPlan.nullable().describe('How it ends, once that has begun'),
    security_stop: z.boolean().describe('Stopped for security: resuming takes people'),
    built_in: z.boolean(),
    pending: pendingApproval
      .nullable()
      .optional()
      .describe('What waits for people; in answers about one identity now'),
    expires_at: instant,
    created_at: instant,
    updated_at: instant,
    version: z.int(),
    risk: riskSummary
      .optional()
      .describe('In the answer to a GET of one as it is now: see GET /v1/identities/{id}/risk'),
    ownership: z
      .object({ clock: ownershipClock.nullable(), offer: ownershipOffer.nullable() })
      .optional()
      .describe('In the answer to a GET of one that is about to change hands, or should'),
  })
  .meta({ id: 'Identity' });
export type Identity = z.output<typeof identity>;

const params = z.strictObject({ id: identityRef });
const write = ['identities:write'] as const;

/** Moves of the state machine; each is `POST /v1/identities/{id}/<verb>`. */
function move(verb: string, summary: string) {
  return operation({
    method: 'POST',
    path: `/v1/identities/{id}/${verb}`,
    summary,
    scopes: write,
    params,
    body: z.strictObject({ reason: reason.optional() }),
    response: identity,
    ifMatch: 'optional',
  });
}

/** Moves that take something away or give it back: the reason is needed. */
function reasonedMove(verb: string, summary: string, destructive: boolean) {
  return operation({
    method: 'POST',
    path: `/v1/identities/{id}/${verb}`,
    summary,
    scopes: write,
    params,
    body: z.strictObject({ reason }),
    response: identity,
    ifMatch: 'optional',
    destructive,
  });
}

export const identityOperations = {
  'identities.create': operation({
    method: 'POST',
    path: '/v1/identities',
    summary: 'Create an identity',
    scopes: write,
    body: identityCreate,
    response: identity,
    status: 201,
  }),
  'identities.list': operation({
    method: 'GET',
    path: '/v1/identities',
    summary: 'List identities, oldest first',
    scopes: ['identities:read'],
    query: z.strictObject({
      ...pageQuery,
      state: z.enum(IDENTITY_STATES).optional(),
      kind: z.enum(IDENTITY_KINDS).optional(),
      environment: z.enum(ENVIRONMENTS).optional(),
      owner_person: name.optional(),
      owner_team: name.optional(),
      text: text(100).optional().describe('Part of name or client_id'),
    }),
    response: page(identity),
  }),
  'identities.get': operation({
    method: 'GET',
    path: '/v1/identities/{id}',
    summary: 'Show an identity',
    scopes: ['identities:read'],
    params,
    query: z.strictObject({ as_of: instant.optional().describe('As it was at this instant') }),
    response: identity,
  }),
  'identities.patch': operation({
    method: 'PATCH',
    path: '/v1/identities/{id}',
    summary: 'Change an identity',
    scopes: write,
    params,
    body: identityPatch,
    response: identity,
  }),
  'identities.submit': move('submit', 'Ask for approval of a draft'),
  'identities.approve': operation({
    method: 'POST',
    path: '/v1/identities/{id}/approve',
    summary: 'Approve a requested identity; people only',
    scopes: ['approvals:write'],
    params,
    body: approvalApprove,
    response: identity,
    ifMatch: 'optional',
  }),
  'identities.reject': operation({
    method: 'POST',
    path: '/v1/identities/{id}/reject',
    summary: 'Reject a requested identity; people only',
    scopes: ['approvals:write'],
    params,
    body: approvalReject,
    response: identity,
    ifMatch: 'optional',
    destructive: true,
  }),
  'identities.activate': move('activate', 'Put a draft or an approved identity to work'),
  'identities.suspend': reasonedMove('suspend', 'Stop an identity; its tokens are refused at once', true),
  'identities.resume': reasonedMove('resume', 'Put a suspended identity back to work', false),
  'identities.decommission': operation({
    method: 'POST',
    path: '/v1/identities/{id}/decommission',
    summary: 'Begin the end of an identity: in phases, or at once',
    scopes: write,
    params,
    body: decommissionRequest,
    response: identity,
    ifMatch: 'optional',
    destructive: true,
  }),
  'identities.keep': reasonedMove('keep', 'Call off a decommissioning before it has stopped anything', false),
  'identities.restore': reasonedMove(
    'restore',
    'Bring an identity back from decommissioning, suspended',
    false,
  ),
};
