import { z } from 'zod';
import { operation } from './contract.ts';
import { identityRef, instant, positive, reason } from './fields.ts';

export const DECOMMISSION_PHASES = ['shadow', 'brown_out', 'stopped'] as const;

/** How an identity ends: what is announced, and how far it is. */
export const decommissionPlan = z
  .object({
    phase: z
      .enum(DECOMMISSION_PHASES)
      .describe('shadow: works, each request noted; brown_out: refused at the announced times; stopped'),
    forced: z.boolean().describe('It was used lately, and is ended all the same'),
    began_at: instant,
    shadow_until: instant,
    brown_outs: z
      .array(z.object({ from: instant, to: instant }))
      .describe('Refused in between, then it works again'),
    stop_at: instant.describe('Refused for good from then on'),
    ends_at: instant.describe('Can be restored until then'),
  })
  .meta({ id: 'DecommissionPlan' });

/** What whoever decommissions may choose; what is left out is as usual. */
export const decommissionRequest = z
  .strictObject({
    reason,
    now: z.boolean().default(false).describe('Stop at once, without shadow and brown-outs'),
    force: z.boolean().default(false).describe('Although it was used lately'),
    phases: z
      .strictObject({
        shadow_days: z.int().min(3).max(7).default(3).describe('Days in which it works, each request noted'),
        brown_outs: z.int().min(0).max(10).default(3).describe('How often it is refused for some minutes'),
        brown_out_minutes: positive(60).default(5).describe('How long each of these takes'),
        brown_out_every_hours: positive(168).default(24).describe('Hours between two, and before the stop'),
        grace_days: positive(365).default(30).describe('Days in which it can be restored once it is stopped'),
      })
      .prefault({}),
  })
  .meta({ id: 'DecommissionRequest' });

const caller = z
  .object({
    phase: z.enum(DECOMMISSION_PHASES),
    resource_server: z
      .string()
      .nullable()
      .describe('Its identifier; null: the caller did not say, and has several'),
    instance: z.string().nullable().describe('Which running copy, as it says itself'),
    source: z.string().describe('Address; others: all for whom there was no row'),
    agent: z.string().describe('Kind of client, by its User-Agent'),
    would_be_refused: z.int().describe('Let through because it is not stopped yet'),
    refused: z.int(),
    first_seen: instant,
    last_seen: instant,
  })
  .meta({ id: 'DecommissionCaller' });

/** The end of an identity with who still calls in its name. */
export const decommissioning = z
  .object({
    identity: z.string().describe('Id of the identity'),
    client_id: z.string(),
    state: z.enum(['decommissioning', 'decommissioned']),
    reason: z.string().nullable(),
    plan: decommissionPlan,
    next: z
      .object({ what: z.enum(['brown_out', 'stop', 'end']), at: instant })
      .nullable()
      .describe('What comes next; null: nothing does'),
    refused_now: z.boolean(),
    callers: z
      .array(caller)
      .describe('The latest first; noted once a minute, at most 200 and one row of others a phase'),
    version: z.int(),
  })
  .meta({ id: 'Decommissioning' });
export type Decommissioning = z.output<typeof decommissioning>;

/** Who used an identity lately, before anything is done about it. */
export const recentCallers = z
  .object({
    last_used: instant.nullable().describe('Null: never, as far as can be seen'),
    from: instant.describe('What follows is from then on'),
    complete: z.boolean().describe('False: there were more tokens than were looked at'),
    callers: z.array(
      z.object({
        resource_server: z.string().nullable(),
        instance: z.string().nullable(),
        source: z.string().nullable(),
        tokens: z.int(),
        last_seen: instant,
      }),
    ),
  })
  .meta({ id: 'RecentCallers' });
export type RecentCallers = z.output<typeof recentCallers>;

const path = '/v1/identities/{id}/decommissioning';
const params = z.strictObject({ id: identityRef });
const write = ['identities:write'] as const;

function change<B extends z.ZodType>(verb: string, summary: string, body: B, destructive: boolean) {
  return operation({
    method: 'POST',
    path: `${path}/${verb}`,
    summary,
    scopes: write,
    params,
    body,
    response: decommissioning,
    ifMatch: 'optional',
    destructive,
  });
}

export const decommissioningOperations = {
  'decommissioning.get': operation({
    method: 'GET',
    path,
    summary: 'Show how an identity ends: announced times, and who still calls',
    scopes: ['identities:read'],
    params,
    response: decommissioning,
  }),
  'decommissioning.extend': change(
    'extend',
    'Put off all that is still to come',
    z.strictObject({ days: positive(90).describe('By how many days'), reason }),
    false,
  ),
  'decommissioning.skip': change(
    'skip',
    'Go to the next phase now: brown-outs, stop, end',
    z.strictObject({ reason }),
    true,
  ),
};
