import { z } from 'zod';
import { operation } from './contract.ts';
import { instant, page, pageQuery } from './fields.ts';

const word = z
  .string()
  .min(1)
  .max(2048)
  .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII');

export const requestId = z
  .string()
  .max(64)
  .regex(/^req_[0-9A-Za-z_-]{1,60}$/, 'must be a request id (req_…)');

export const auditEvent = z
  .object({
    seq: z.int(),
    id: z.string(),
    at: instant,
    type: z.string(),
    outcome: z.enum(['success', 'refused', 'error']),
    request_id: z.string().optional(),
    identity: z.string().optional(),
    credential: z.string().optional(),
    access: z.string().optional(),
    resource: z.string().optional(),
    scopes_asked: z.string().optional(),
    scopes_held: z.string().optional(),
    jti: z.string().optional().describe('Of the token that was issued, or alone was cut off'),
    lifetime: z.int().optional().describe('Seconds for which the token lives'),
    parent: z.string().optional().describe('jti of the token that this one was exchanged for'),
    method: z.string().optional(),
    proof: z
      .string()
      .optional()
      .describe('Of the assertion that was used up for the token: digest and end of its memory, base64url'),
    reason: z.string().optional(),
    source: z.string().optional(),
    instance: z
      .string()
      .optional()
      .describe('Which running copy of the identity asked: its Countersign-Instance'),
    person: z.string().optional().describe('Who it was, where a person signed in'),
    person_issuer: z.string().optional().describe('The trusted issuer that vouched for the person'),
    person_subject: z.string().optional().describe('The person at that issuer'),
    signed_in_at: instant.optional().describe('When the person proved there who it is'),
    node: z.string().optional().describe('Which process of the authority wrote it'),
    detail: z.unknown().optional(),
  })
  .meta({ id: 'AuditEvent' });
export type LoggedAuditEvent = z.output<typeof auditEvent>;

export const explanation = z
  .object({
    request_id: z.string(),
    summary: z.string().describe('One sentence: what happened'),
    why: z.string(),
    fix: z.string().nullable().describe('What to do about it; null when there is nothing to do'),
    identity: z
      .object({
        client_id: z.string(),
        state: z.string(),
        expires_at: instant,
        state_reason: z.string().nullable(),
      })
      .nullable()
      .describe('The identity as it is now'),
    events: z.array(auditEvent),
  })
  .meta({ id: 'Explanation' });
export type Explanation = z.output<typeof explanation>;

export const auditOperations = {
  'audit.events': operation({
    method: 'GET',
    path: '/audit/events',
    summary: 'Query the audit log, in its order',
    scopes: ['audit:read'],
    query: z.strictObject({
      ...pageQuery,
      type: word.optional(),
      identity: word.optional().describe('client_id'),
      jti: word.optional(),
      parent: word.optional().describe('jti of the token that others were exchanged for'),
      request_id: requestId.optional(),
      resource: word.optional(),
      outcome: z.enum(['success', 'refused', 'error']).optional(),
      from: instant.optional().describe('From this instant on'),
      to: instant.optional().describe('Before this instant'),
    }),
    response: page(auditEvent),
  }),
  'explain.get': operation({
    method: 'GET',
    path: '/v1/explain/{request_id}',
    summary: 'What happened in a request, why, and how to fix it',
    scopes: ['audit:read'],
    params: z.strictObject({ request_id: requestId }),
    response: explanation,
  }),
};
