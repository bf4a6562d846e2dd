import { CUTOFF_KINDS, holdsSecret } from '@countersign/protocol';
import { z } from 'zod';
import { operation } from './contract.ts';
import { instant, page, pageQuery, reason, recordId } from './fields.ts';

export { CUTOFF_KINDS };

/** An opaque token of ours, or a JWT. */
const TOKEN = /^(?:cot_|eyJ[A-Za-z0-9_-]+\.)/;

const target = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[A-Za-z0-9_.~-]+$/, 'must be an id, a client_id, a jti or a kid')
  .refine(
    (value) => !holdsSecret(value) && !TOKEN.test(value),
    'must not be a secret or a token, which everybody could read in the feed: name the credential by its id, the token by its jti',
  );

export const cutoffCreate = z
  .strictObject({
    kind: z.enum(CUTOFF_KINDS),
    id: target.describe(
      'Identity: id or client_id · credential: id · token: jti · key: kid, or the id of an authority of certificates',
    ),
    reason,
    successors: z
      .enum(['itself', 'all', 'none'])
      .optional()
      .describe(
        'Of a credential: which that took its place go with it. itself: those made by whoever held it, the default',
      ),
  })
  .refine(({ kind, successors }) => successors === undefined || kind === 'credential', {
    error: 'only a credential has successors',
    path: ['successors'],
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

const seconds = z.int().min(0);

export const FOLLOWER_STATES = ['confirmed', 'waiting', 'silent', 'started_after', 'following'] as const;

/** One running verifier of a resource server, as far as it has told of itself. */
const follower = z
  .object({
    instance: z.string(),
    proven: z
      .boolean()
      .describe('It showed a token of its resource server; others only say that they are of it'),
    state: z
      .enum(FOLLOWER_STATES)
      .describe(
        'confirmed: it obeys the order · waiting: it follows and has not said so yet · silent: nothing is heard of it · ' +
          'started_after: it knew the order before its first request · following: there is no order yet',
      ),
    last_seen_at: instant,
    stale_after: seconds.describe('Seconds without news after which it counts its feed as stale'),
    on_stale: z.string().describe('What it does then: refuse · introspect · accept_younger_than:SECONDS'),
    worst_case: seconds.describe('Seconds for which it may still take such a token if not a word reaches it'),
    confirmed_at: instant.nullable(),
    exposure_ms: z.int().nullable().describe('From the order to its confirmation'),
    attempts: z.int().describe('Requests it refused because of this order'),
    last_attempt_at: instant.nullable(),
  })
  .meta({ id: 'CutoffFollower' });

const server = z
  .object({
    resource_server: z.string(),
    identifier: z.string(),
    obeys: z
      .enum(['at_once', 'feed', 'expiry'])
      .describe('expiry: no verifier of it is known to follow the feed, tokens end by their time'),
    longest_token_life: seconds.describe('Seconds that a token of the target may live on there, at most'),
    worst_case: seconds.describe(
      'Seconds for which one may still be taken there, if not a word reaches a verifier',
    ),
    connected: z.int(),
    silent: z.int(),
    confirmed: z.int(),
    waiting: z.int(),
    slowest_exposure_ms: z.int().nullable(),
    attempts: z.int(),
    followers: z.array(follower).describe('At most 100, those that matter most first'),
  })
  .meta({ id: 'CutoffResourceServer' });
export type CutoffResourceServer = z.output<typeof server>;

/** What an order would reach: part of its dry run. */
export const cutoffOutlook = z
  .object({
    worst_case: seconds.describe('The longest of all resource servers'),
    resource_servers: z.array(server).describe('Worst first'),
  })
  .meta({ id: 'CutoffOutlook' });
export type CutoffOutlook = z.output<typeof cutoffOutlook>;

/** An order with its receipts. */
export const cutoffReport = cutoff
  .extend({
    ...cutoffOutlook.shape,
    all_confirmed: z.boolean().describe('Every verifier that follows has confirmed it'),
  })
  .meta({ id: 'CutoffReport' });
export type CutoffReport = z.output<typeof cutoffReport>;

/** What somebody saw who had a token of the target, beside what the receipts say. */
export const drillMeasured = z
  .strictObject({
    refused_ms: z
      .int()
      .min(0)
      .max(3_600_000)
      .nullable()
      .describe('From the order until a verifier refused the token; null when none did'),
    issuance_stopped_ms: z
      .int()
      .min(0)
      .max(3_600_000)
      .nullable()
      .describe('From the order until no further token was given; null when one still was'),
  })
  .meta({ id: 'CutoffDrillMeasured' });

export const cutoffDrill = z
  .object({
    cutoff: z.string(),
    ...drillMeasured.shape,
    all_confirmed: z.boolean(),
    slowest_exposure_ms: z.int().nullable().describe('Of all verifiers that confirmed, by the receipts'),
    resource_servers: z.array(
      z.object({
        identifier: z.string(),
        confirmed: z.int(),
        waiting: z.int(),
        silent: z.int(),
        slowest_exposure_ms: z.int().nullable(),
      }),
    ),
  })
  .meta({ id: 'CutoffDrill' });
export type CutoffDrill = z.output<typeof cutoffDrill>;

const params = z.strictObject({ id: recordId });

export const cutoffOperations = {
  'cutoffs.create': operation({
    method: 'POST',
    path: '/v1/cutoffs',
    summary:
      'Stop trusting an identity, credential, token or signing key from now on; its dry run names the worst case',
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
  'cutoffs.get': operation({
    method: 'GET',
    path: '/v1/cutoffs/{id}',
    summary: 'Show a cut-off with its receipts: who obeys it, since when, and what was tried afterwards',
    scopes: ['cutoffs:read'],
    params,
    response: cutoffReport,
  }),
  'cutoffs.drill': operation({
    method: 'POST',
    path: '/v1/cutoffs/{id}/drill',
    summary: 'Record in the audit log how long a cut-off took: what was measured, and what the receipts say',
    scopes: ['cutoffs:write'],
    params,
    body: drillMeasured,
    response: cutoffDrill,
  }),
  'cutoffs.lift': operation({
    method: 'POST',
    path: '/v1/cutoffs/{id}/lift',
    summary: 'Put an identity that was cut off back to work: two people, never machines',
    scopes: ['approvals:write'],
    params,
    body: z.strictObject({ reason }),
    response: cutoff,
  }),
};
