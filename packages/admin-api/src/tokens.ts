import { z } from 'zod';
import { operation } from './contract.ts';
import { approvalDecision } from './decisions.ts';
import { instant } from './fields.ts';

const jti = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9_.~-]+$/, 'must be the jti of a token');

const tracedToken = z
  .object({
    jti: z.string(),
    issued_at: instant,
    expires_at: instant.nullable().describe('null: it was issued by a version that did not write it down'),
    identity: z.string().nullable().describe('client_id of who got it'),
    subject: z.string().nullable().describe('In whose name it acts'),
    credential: z.string().nullable().describe('By which it was asked for'),
    access: z.string().nullable(),
    resource_server: z.string().nullable().describe('Identifier'),
    scopes: z.array(z.string()),
    scopes_asked: z.array(z.string()),
    method: z.string().nullable().describe('How the identity proved itself'),
    source: z.string().nullable().describe('Address of the caller'),
    instance: z.string().nullable().describe('Which running copy of the identity asked'),
    parent: z.string().nullable().describe('jti of the token it was exchanged for'),
  })
  .meta({ id: 'TracedToken' });
export type TracedToken = z.output<typeof tracedToken>;

export const TRACE_STAGES = [
  'request',
  'approval',
  'access',
  'identity',
  'credential',
  'token',
  'use',
  'cutoff',
] as const;

const traceRow = z
  .object({
    at: instant,
    stage: z.enum(TRACE_STAGES),
    what: z.string(),
    who: z
      .string()
      .describe('client_id, person:HANDLE, countersign for the authority itself; of use the API'),
    event: z
      .object({ seq: z.int(), id: z.string(), type: z.string(), request_id: z.string().nullable() })
      .nullable()
      .describe('Where it stands in the audit log; null for what resource servers told'),
  })
  .meta({ id: 'TraceRow' });

const useState = z.enum(['used', 'unused', 'unknown']);

const tokenUse = z
  .object({
    state: useState.describe('Of the credential and access of the token, in its life; not of it alone'),
    since: instant,
    until: instant,
    scopes: z.array(
      z.object({
        scope: z.string().describe('Empty: the guard asked for none'),
        state: useState,
        last_used: instant.nullable(),
        last_denied: instant.nullable(),
        ok: z.int().describe('Since the first report, of all tokens of the same credential and access'),
        denied: z.int(),
      }),
    ),
  })
  .meta({ id: 'TokenUse' });

export const tokenTrace = z
  .object({
    token: tracedToken,
    cut_off_at: instant.nullable().describe('By the first order that reached it'),
    before: z.array(tracedToken).describe('The tokens it was exchanged for, the first of the row first'),
    after: z.array(tracedToken).describe('The tokens that were exchanged for it, over all steps; at most 50'),
    identity: z
      .object({
        id: z.string(),
        client_id: z.string(),
        state: z.string(),
        owner: z.object({
          person: z.string(),
          backup: z.string().nullable(),
          team: z.string().nullable(),
        }),
        expires_at: instant,
        version: z.int(),
      })
      .nullable()
      .describe('As it was then'),
    access: z
      .object({
        id: z.string(),
        version: z.int(),
        state: z.string(),
        scopes: z.array(z.string()),
        justification: z.string(),
        requested_by: z.string(),
        approved_by: z.string().nullable(),
        approved_at: instant.nullable(),
        approvals: z.array(approvalDecision),
        expires_at: instant,
      })
      .nullable()
      .describe('The version that was in force then'),
    credential: z
      .object({
        id: z.string(),
        type: z.string(),
        label: z.string(),
        made_by: z.string().nullable(),
        created_at: instant,
        state_now: z.string(),
      })
      .nullable(),
    use: tokenUse.nullable(),
    rows: z.array(traceRow).describe('What happened, in its order; at most 300'),
    complete: z.boolean().describe('false: more happened than is shown; the audit log has it'),
    notes: z.array(z.string()).describe('What these rows cannot say'),
  })
  .meta({ id: 'TokenTrace' });
export type TokenTrace = z.output<typeof tokenTrace>;

export const tokenOperations = {
  'tokens.trace': operation({
    method: 'GET',
    path: '/v1/tokens/{jti}/trace',
    summary:
      'What happened with a token: request, approval, access, credential, exchanges, use and what ended it',
    scopes: ['audit:read'],
    params: z.strictObject({ jti }),
    response: tokenTrace,
  }),
};
