import { z } from 'zod';
import { operation } from './contract.ts';
import { identityRef, instant, page, pageQuery, queryInteger } from './fields.ts';

export const RISK_BANDS = ['low', 'medium', 'high', 'critical'] as const;
export type RiskBand = (typeof RISK_BANDS)[number];

const score = z.int().min(0).max(100);
const band = z.enum(RISK_BANDS).describe('low below 25, medium below 50, high below 75, critical');

/** In the answer about one identity. */
export const riskSummary = z.object({ score, band }).meta({ id: 'RiskSummary' });

export const riskRow = z
  .object({
    group: z.enum(['reach', 'proof', 'findings']).describe('Of at most 35, 30 and 35 points'),
    factor: z.string(),
    points: z.int().describe('What it adds to the score: all of them sum to it'),
    full: z.int().describe('What it would add if its group had no ceiling'),
    why: z.string(),
    fix: z
      .string()
      .nullable()
      .describe('One command that makes it smaller; null: it is what the identity is there for'),
  })
  .meta({ id: 'RiskRow' });

export const risk = z
  .object({
    identity: z.string().describe('Id of the identity'),
    client_id: z.string(),
    score,
    band,
    rows: z.array(riskRow),
  })
  .meta({ id: 'Risk' });
export type Risk = z.output<typeof risk>;

export const listedRisk = z
  .object({
    identity: z.string().describe('Id of the identity'),
    client_id: z.string(),
    score,
    band,
    looked_at: instant.describe(
      'When it came to this: scores are kept once an hour, and when something changes',
    ),
  })
  .meta({ id: 'ListedRisk' });
export type ListedRisk = z.output<typeof listedRisk>;

export const riskOperations = {
  'risk.list': operation({
    method: 'GET',
    path: '/v1/risk',
    summary: 'List identities by their risk, the riskiest first',
    scopes: ['findings:read'],
    query: z.strictObject({
      ...pageQuery,
      min_score: queryInteger(1, 100).default(1).describe('Of at least this score'),
    }),
    response: page(listedRisk),
  }),
  'risk.get': operation({
    method: 'GET',
    path: '/v1/identities/{id}/risk',
    summary: 'Show the risk of an identity, 0 to 100, with its arithmetic and what makes each row smaller',
    scopes: ['findings:read'],
    params: z.strictObject({ id: identityRef }),
    response: risk,
  }),
};
