import { z } from 'zod';
import { operation } from './contract.ts';
import { identityRef, instant, page, pageQuery, reason, recordId } from './fields.ts';
import { USE_ANSWERS } from './usage.ts';

export const PROPOSAL_KINDS = ['remove', 'narrow', 'shorten', 'retire', 'upgrade'] as const;
export type ProposalKind = (typeof PROPOSAL_KINDS)[number];
export const PROPOSAL_STATES = [
  'open',
  'dismissed',
  'applied',
  'rollback_requested',
  'rolled_back',
  'settled',
  'withdrawn',
] as const;
export type ProposalState = (typeof PROPOSAL_STATES)[number];
export const PROPOSAL_SUBJECTS = ['access', 'credential', 'identity'] as const;
export type ProposalSubject = (typeof PROPOSAL_SUBJECTS)[number];

/** What a proposal rests on: of which time, what was seen, and by whom. */
export const proposalBasis = z
  .object({
    window: z
      .object({ from: instant, to: instant })
      .describe('max(30 days, 2 × the cadence), up to the last look'),
    cadence: z.string().describe('Of the identity'),
    last_used: instant.nullable().describe('Also before the window'),
    ok: z.int().describe('Calls let through since the first report'),
    denied: z.int().describe('Calls refused: these are never use'),
    scopes: z.array(
      z.object({
        scope: z.string(),
        state: z.enum(USE_ANSWERS),
        ok: z.int(),
        denied: z.int(),
        last_used: instant.nullable(),
        days: z.int().describe('Days of the last 400 on which it was used'),
      }),
    ),
    seen_by: z
      .array(
        z.object({
          resource_server: z.string().nullable().describe('Identifier; null: the authority itself'),
          coverage: z.number().describe('Share of the window in which use would have been seen'),
        }),
      )
      .describe('Who would have told of use'),
  })
  .meta({ id: 'ProposalBasis' });

export const proposalChange = z
  .object({
    keep: z.array(z.string()).optional().describe('Scopes that stay'),
    take: z.array(z.string()).optional().describe('Scopes that go'),
    token_lifetime: z.object({ from: z.int(), to: z.int() }).optional().describe('Seconds'),
    in_favour_of: z.string().optional().describe('Id of the credential that is used instead'),
  })
  .meta({ id: 'ProposalChange' });

export const proposal = z
  .object({
    id: z.string(),
    kind: z.enum(PROPOSAL_KINDS),
    identity: z.string().describe('Id of the identity'),
    client_id: z.string(),
    subject: z.object({ kind: z.enum(PROPOSAL_SUBJECTS), id: z.string() }).describe('What it would change'),
    resource: z.string().nullable().describe('Identifier of the resource server, of an access'),
    state: z.enum(PROPOSAL_STATES),
    reason: z.string().describe('Why, in a sentence'),
    change: proposalChange,
    basis: proposalBasis,
    fix: z.string().describe('The command that carries it out, or takes it back'),
    dismissed_by: z.string().nullable(),
    dismissed_reason: z.string().nullable(),
    dismissed_until: instant.nullable().describe('Proposed again from then on, if it is still so'),
    applied_by: z.string().nullable(),
    applied_at: instant.nullable(),
    rollback_until: instant.nullable().describe('Until then refusals are watched and it can be rolled back'),
    refusals: z.int().describe('Refusals of what was taken away, seen since'),
    last_refused: instant.nullable(),
    approval: z.string().nullable().describe('Id of the request under which giving it back waits for people'),
    created_at: instant,
    updated_at: instant,
    version: z.int(),
  })
  .meta({ id: 'Proposal' });
export type Proposal = z.output<typeof proposal>;

/** What is known of one thing that an identity has, and what follows. */
export const sizeVerdict = z
  .object({
    subject: z.object({ kind: z.enum(PROPOSAL_SUBJECTS), id: z.string() }),
    resource: z.string().nullable(),
    verdict: z.enum(['propose', 'needed', 'unknown']),
    kind: z.enum(PROPOSAL_KINDS).nullable().describe('What is proposed'),
    reason: z.string().describe('Why it is proposed, needed, or not known'),
    change: proposalChange,
    basis: proposalBasis.nullable(),
  })
  .meta({ id: 'SizeVerdict' });

export const proposalDismiss = z
  .strictObject({ reason, until: instant.describe('At most a year ahead') })
  .meta({ id: 'ProposalDismiss' });

const params = z.strictObject({ id: recordId });
const body = z.strictObject({ reason: reason.optional() });

export const proposalOperations = {
  'proposals.list': operation({
    method: 'GET',
    path: '/v1/proposals',
    summary: 'List what could be taken away by what is used, oldest first',
    scopes: ['findings:read'],
    query: z.strictObject({
      ...pageQuery,
      identity: identityRef.optional(),
      subject: recordId.optional().describe('About this access, credential or identity'),
      kind: z.enum(PROPOSAL_KINDS).optional(),
      state: z.enum(PROPOSAL_STATES).optional(),
    }),
    response: page(proposal),
  }),
  'proposals.get': operation({
    method: 'GET',
    path: '/v1/proposals/{id}',
    summary: 'Show a proposal with what it rests on',
    scopes: ['findings:read'],
    params,
    response: proposal,
  }),
  'proposals.assess': operation({
    method: 'GET',
    path: '/v1/identities/{id}/right-sizing',
    summary: 'Judge now what an identity has by what it uses: proposed, needed or unknown, and why',
    scopes: ['findings:read', 'access:read'],
    params: z.strictObject({ id: identityRef }),
    response: z.object({ items: z.array(sizeVerdict) }),
  }),
  'proposals.apply': operation({
    method: 'POST',
    path: '/v1/proposals/{id}/apply',
    summary: 'Carry a proposal out, and watch for a time whether it is missed',
    scopes: ['findings:write'],
    params,
    body,
    response: proposal,
    ifMatch: 'optional',
    destructive: true,
  }),
  'proposals.dismiss': operation({
    method: 'POST',
    path: '/v1/proposals/{id}/dismiss',
    summary: 'Leave things as they are until an instant, and answer for it',
    scopes: ['findings:write'],
    params,
    body: proposalDismiss,
    response: proposal,
    ifMatch: 'optional',
  }),
  'proposals.rollback': operation({
    method: 'POST',
    path: '/v1/proposals/{id}/rollback',
    summary: 'Give back what a proposal took, within its window and never more than was there',
    scopes: ['findings:write'],
    params,
    body,
    response: proposal,
    ifMatch: 'optional',
  }),
};
