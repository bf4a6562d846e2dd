import { z } from 'zod';
import { operation } from './contract.ts';
import { instant, page, pageQuery, reason } from './fields.ts';

export const CUTOFF_KINDS = ['identity', 'credential', 'token', 'key'] as const;

const target = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[A-Za-z0-9_.~-]+$/, 'must be an id, a client_id, a jti or a kid');

export const cutoffCreate = z
  .strictObject({
    kind: z.enum(CUTOFF_KINDS),
    id: target.describe('Identity: id or client_id · credential: id · token: jti · key: kid'),
    reason,
  })
  .meta({ id: 'CutoffCreate' });

export const cutoff = z
  .object({
    id: z.string(),
    cursor: z.int().describe('Its place in the feed of resource servers'),
    kind: z.enum(CUTOFF_KINDS),
    target: z.string().describe('What resource servers compare: client_id, credential id, jti or kid'),
    not_before: instant.describe('Tokens issued at or before it are refused'),
    reason: z.string(),
    ordered_by: z.string(),
    created_at: instant,
  })
  .meta({ id: 'Cutoff' });
export type Cutoff = z.output<typeof cutoff>;

export const cutoffOperations = {
  'cutoffs.create': operation({
    method: 'POST',
    path: '/v1/cutoffs',
    summary: 'Stop trusting an identity, credential, token or signing key from now on',
    scopes: ['cutoffs:write'],
    body: cutoffCreate,
    response: cutoff,
    status: 201,
    destructive: true,
  }),
  'cutoffs.list': operation({
    method: 'GET',
    path: '/v1/cutoffs',
    summary: 'List cut-offs, oldest first',
    scopes: ['cutoffs:read'],
    query: z.strictObject(pageQuery),
    response: page(cutoff),
  }),
};
