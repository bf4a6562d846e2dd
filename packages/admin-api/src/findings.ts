import { z } from 'zod';
import { operation } from './contract.ts';
import { identityRef, instant, page, pageQuery, reason, recordId } from './fields.ts';

export const FINDING_KINDS = [
  'weak_method',
  'old_credential',
  'rotation_stalled',
  'wide_access',
  'uncached_client',
  'credential_made_while_narrowed',
  'shared_key',
  'scope_meaning_changed',
  'unregistered_caller',
  'inactive_identity',
  'long_suspended',
  'orphaned',
  'owner_leaving',
  'owner_unknown',
  'owner_lost',
  'no_backup',
  'team_emptied',
  'policy_breach',
  'policy_exception_ending',
  'webhook_disabled',
  'authority_ending',
  'over_privileged',
  'reduced_but_needed',
  'identity_sprawl',
  'credential_sprawl',
  'unused_credential',
  'cross_environment_use',
  'reused_credential',
  'removal_still_used',
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];
export const FINDING_STATES = ['open', 'accepted', 'resolved'] as const;
export type FindingState = (typeof FINDING_STATES)[number];
/** In ascending order. */
export const FINDING_SEVERITIES = ['low', 'medium', 'high'] as const;
export type FindingSeverity = (typeof FINDING_SEVERITIES)[number];
export const FINDING_SUBJECTS = [
  'credential',
  'access',
  'resource_server',
  'identity',
  'webhook',
  'certificate_authority',
] as const;
export type FindingSubject = (typeof FINDING_SUBJECTS)[number];

export const finding = z
  .object({
    id: z.string(),
    kind: z.enum(FINDING_KINDS),
    identity: z.string().describe('Id of the identity'),
    client_id: z.string(),
    subject: z.object({ kind: z.enum(FINDING_SUBJECTS), id: z.string() }).describe('What it is about'),
    severity: z.enum(FINDING_SEVERITIES),
    reason: z.string().describe('What is wrong'),
    fix: z.string().describe('One command that makes it right'),
    state: z.enum(FINDING_STATES),
    accepted_by: z.string().nullable(),
    accepted_reason: z.string().nullable(),
    accepted_until: instant.nullable().describe('Open again from then on, if it is still so'),
    first_seen: instant,
    last_seen: instant,
    resolved_at: instant.nullable(),
    version: z.int(),
  })
  .meta({ id: 'Finding' });
export type Finding = z.output<typeof finding>;

export const findingAccept = z
  .strictObject({ reason, until: instant.describe('At most a year ahead') })
  .meta({ id: 'FindingAccept' });

export const findingReopen = z.strictObject({ reason: reason.optional() }).meta({ id: 'FindingReopen' });

const params = z.strictObject({ id: recordId });

export const findingOperations = {
  'findings.list': operation({
    method: 'GET',
    path: '/v1/findings',
    summary: 'List what is wrong with identities, oldest first',
    scopes: ['findings:read'],
    query: z.strictObject({
      ...pageQuery,
      identity: identityRef.optional(),
      subject: recordId.optional(),
      kind: z.enum(FINDING_KINDS).optional(),
      severity: z.enum(FINDING_SEVERITIES).optional(),
      state: z.enum(FINDING_STATES).optional(),
    }),
    response: page(finding),
  }),
  'findings.get': operation({
    method: 'GET',
    path: '/v1/findings/{id}',
    summary: 'Show a finding',
    scopes: ['findings:read'],
    params,
    response: finding,
  }),
  'findings.accept': operation({
    method: 'POST',
    path: '/v1/findings/{id}/accept',
    summary: 'Leave a finding as it is until an instant, and answer for it',
    scopes: ['findings:write'],
    params,
    body: findingAccept,
    response: finding,
    ifMatch: 'optional',
  }),
  'findings.reopen': operation({
    method: 'POST',
    path: '/v1/findings/{id}/reopen',
    summary: 'Take the acceptance of a finding back',
    scopes: ['findings:write'],
    params,
    body: findingReopen,
    response: finding,
    ifMatch: 'optional',
  }),
};
