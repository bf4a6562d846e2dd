import { z } from 'zod';
import { operation } from './contract.ts';
import {
  instant,
  name,
  page,
  pageQuery,
  prose,
  reason,
  recordId,
  resourceServerRef,
  scopeName,
  scopeNames,
  sensitivity,
  span,
  text,
} from './fields.ts';
import { ENVIRONMENTS, IDENTITY_KINDS } from './identities.ts';
import { accessUsage } from './usage.ts';

export const REVIEW_STATES = ['planned', 'starting', 'open', 'overdue', 'completed', 'closed'] as const;
export type ReviewState = (typeof REVIEW_STATES)[number];
export const REVIEW_ITEM_STATES = ['pending', 'kept', 'reduced', 'revoked', 'silent', 'gone'] as const;
export type ReviewItemState = (typeof REVIEW_ITEM_STATES)[number];
export const REMEDIATION_STATES = ['none', 'pending', 'verified', 'failed', 'unverifiable'] as const;
export type RemediationState = (typeof REMEDIATION_STATES)[number];
export const ON_SILENCE = ['suspend_access', 'suspend_identity'] as const;
export type OnSilence = (typeof ON_SILENCE)[number];
export const REVIEW_DECISIONS = ['keep', 'reduce', 'revoke', 'reassign'] as const;
export type ReviewDecision = (typeof REVIEW_DECISIONS)[number];
/** What becomes of tokens that hold what was taken away. */
export const REMAINING_TOKENS = ['cut_off', 'run_out'] as const;
export type RemainingTokens = (typeof REMAINING_TOKENS)[number];

/** Items of one campaign at most. */
export const MOST_REVIEW_ITEMS = 100_000;

const unique = (list: readonly string[]): boolean => new Set(list).size === list.length;
const NOT_TWICE = 'must not repeat one';

/** Whom to ask, in one word: who that is for an item follows from the item. */
const reviewer = text(220).regex(
  /^(?:owner|backup|role:reviewer|(?:person|team):\S.*)$/u,
  'must be owner, backup, role:reviewer, person:HANDLE or team:NAME',
);

/** A member that is left out matches all; one that is there must hold. */
export const reviewQuery = z
  .strictObject({
    resource_server: resourceServerRef.optional().describe('Id or identifier'),
    scope: scopeName.optional().describe('Access that holds it'),
    environments: z.array(z.enum(ENVIRONMENTS)).min(1).refine(unique, NOT_TWICE).optional(),
    kinds: z.array(z.enum(IDENTITY_KINDS)).min(1).refine(unique, NOT_TWICE).optional(),
    min_sensitivity: sensitivity.optional().describe('Of its most sensitive scope'),
    team: name.optional().describe('Team of the identity'),
    owner: name.optional().describe('Accountable person of the identity'),
    not_used_for: span.optional().describe('No use was reported in this span until now; at most 400d'),
  })
  .meta({ id: 'ReviewQuery' });

export const reviewCreate = z
  .strictObject({
    name,
    query: reviewQuery.prefault({}).describe('Which access is reviewed, of what is active at the start'),
    reviewers: z
      .array(reviewer)
      .min(1)
      .max(50)
      .refine(unique, NOT_TWICE)
      .describe('Who decides; of several in turn: owner, backup, role:reviewer, person:HANDLE, team:NAME'),
    fallback: reviewer
      .default('role:reviewer')
      .describe('Who decides where those may not, and where they have not by `due_at`'),
    not_owner: z.boolean().default(false).describe('Nobody decides on what is theirs'),
    opens_at: instant.optional().describe('Starts by itself then; left out: by `start`'),
    due_at: instant.describe('Until when reviewers decide'),
    fallback_for: span.default('7d').describe('How long the fallback has afterwards; at most 90d'),
    reminders: z
      .array(span)
      .max(10)
      .refine(unique, NOT_TWICE)
      .default(['7d', '1d'])
      .describe('How long before `due_at` reviewers are reminded'),
    on_silence: z
      .enum(ON_SILENCE)
      .default('suspend_access')
      .describe('What becomes of what nobody decided on; nothing is ever deleted'),
    tokens: z
      .enum(REMAINING_TOKENS)
      .default('cut_off')
      .describe('Tokens that hold what is taken away: refused from then on, or left to run out'),
    repeat_every: span
      .optional()
      .describe('The next campaign opens so long after this one has: it is planned then; 400d at most'),
    use_within: span.default('90d').describe('The span that use is shown of; at most 400d'),
  })
  .refine(
    ({ reviewers, not_owner: notOwner }) => !(notOwner && reviewers.every((each) => each === 'owner')),
    {
      error: 'asks the owners, who may not decide here',
      path: ['reviewers'],
    },
  )
  .meta({ id: 'ReviewCreate' });

const count = z.int().min(0);

export const review = z
  .object({
    id: z.string(),
    name: z.string(),
    query: reviewQuery,
    reviewers: z.array(z.string()),
    fallback: z.string(),
    not_owner: z.boolean(),
    state: z.enum(REVIEW_STATES),
    state_reason: z.string().nullable(),
    opens_at: instant.nullable(),
    due_at: instant,
    silence_at: instant.describe('What is undecided then is suspended'),
    reminders: z.array(z.string()),
    on_silence: z.enum(ON_SILENCE),
    tokens: z.enum(REMAINING_TOKENS),
    use_within: z.string(),
    repeat_every: z.string().nullable(),
    items: count.describe('Access that was found at the start'),
    progress: z
      .object({
        pending: count,
        kept: count,
        reduced: count,
        revoked: count,
        silent: count,
        gone: count,
        remediation: z.object({ pending: count, verified: count, failed: count, unverifiable: count }),
      })
      .optional()
      .describe('Where one campaign is asked for'),
    created_by: z.string(),
    started_at: instant.nullable(),
    ended_at: instant.nullable(),
    created_at: instant,
    updated_at: instant,
    version: z.int(),
  })
  .meta({ id: 'Review' });
export type Review = z.output<typeof review>;

/** What a campaign would ask, and whom: part of a dry run. */
export const reviewOutlook = z
  .object({
    items: count,
    too_many: z.boolean().describe(`More than ${MOST_REVIEW_ITEMS}: it would not start`),
    assigned: count.describe(
      'Of how many of them, the first 10000 and the rest of a page, the members below tell',
    ),
    unused: count.describe('Known not to be used in `use_within`'),
    reviewers: z
      .array(z.object({ reviewer: z.string(), items: count }))
      .describe('The 100 with the most items'),
    to_fallback: count.describe('Whose reviewer may not decide, or is nobody'),
  })
  .meta({ id: 'ReviewOutlook' });
export type ReviewOutlook = z.output<typeof reviewOutlook>;

/** The use of an access as a reviewer sees it: with the reason where it is not known. */
export const reviewUse = accessUsage
  .extend({
    unknown_because: z.record(z.string(), z.string()).describe('By scope, where its use is unknown'),
  })
  .meta({ id: 'ReviewUse' });

export const reviewItem = z
  .object({
    id: z.string(),
    review: z.string(),
    access: z.string(),
    version: z.int().describe('Of the access, as it is to be decided on: what a decision names'),
    changed: z.boolean().describe('The access is not that version any more'),
    client_id: z.string(),
    resource: z.string(),
    environment: z.string(),
    owner: z.string(),
    scopes: z.array(z.string()),
    justification: z.string(),
    requested_by: z.string(),
    approved_by: z.string().nullable(),
    expires_at: instant,
    access_state: z.string().describe('Now'),
    reviewer: z.string(),
    fallback: z.string(),
    state: z.enum(REVIEW_ITEM_STATES),
    decided_by: z.string().nullable(),
    decided_at: instant.nullable(),
    comment: z.string().nullable(),
    scopes_after: z.array(z.string()).nullable(),
    remediation: z.object({
      state: z.enum(REMEDIATION_STATES),
      reason: z.string().nullable(),
      cutoff: z.string().nullable().describe('Id of the order that ended the tokens'),
      effective_at: instant.nullable().describe('From then on no token holds it any more'),
    }),
    usage: reviewUse.nullable().describe('Undecided: as it is now; decided: as it was known then'),
    created_at: instant,
    updated_at: instant,
  })
  .meta({ id: 'ReviewItem' });
export type ReviewItem = z.output<typeof reviewItem>;

export const reviewDecide = z
  .strictObject({
    item: recordId,
    decision: z.enum(REVIEW_DECISIONS),
    version: z.int().min(1).describe('Of the access that was read'),
    scopes: scopeNames.optional().describe('With `reduce`: what is left'),
    to: name.optional().describe('With `reassign`: handle of the person'),
    comment: prose(1000).optional().describe('Needed with reduce, revoke and reassign'),
  })
  .refine(({ decision, scopes }) => (decision === 'reduce') === (scopes !== undefined), {
    error: 'is there with reduce, and only there',
    path: ['scopes'],
  })
  .refine(({ decision, to }) => (decision === 'reassign') === (to !== undefined), {
    error: 'is there with reassign, and only there',
    path: ['to'],
  })
  .refine(({ decision, comment }) => decision === 'keep' || comment !== undefined, {
    error: 'says why',
    path: ['comment'],
  })
  .meta({ id: 'ReviewDecide' });

export const reviewQuality = z
  .object({
    review: z.string(),
    reviewers: z.array(
      z.object({
        reviewer: z.string().describe('Handle'),
        decisions: count,
        kept: count,
        share_kept: z.number().min(0).max(1),
        kept_unused: count.describe('Kept although none of it was used, as far as use was seen'),
        kept_unknown: count.describe('Kept although nobody knows whether it is used'),
        without_comment: count,
        median_seconds: z
          .number()
          .nullable()
          .describe('Between two decisions; pauses of half an hour and more left out'),
        most_in_a_minute: count.describe('Decisions within 60 seconds, at most'),
        bulk: z.boolean().describe('20 or more of them: nobody reads that fast'),
        reversed: count.describe('Kept here, and reduced, revoked or suspended since'),
      }),
    ),
    silent: count,
    undecided: count,
  })
  .meta({ id: 'ReviewQuality' });
export type ReviewQuality = z.output<typeof reviewQuality>;

const params = z.strictObject({ id: recordId });

export const reviewOperations = {
  'reviews.create': operation({
    method: 'POST',
    path: '/v1/reviews',
    summary: 'Plan a campaign in which people decide on access',
    scopes: ['reviews:write'],
    body: reviewCreate,
    response: review,
    status: 201,
  }),
  'reviews.list': operation({
    method: 'GET',
    path: '/v1/reviews',
    summary: 'List campaigns, oldest first',
    scopes: ['reviews:read'],
    query: z.strictObject({ ...pageQuery, state: z.enum(REVIEW_STATES).optional() }),
    response: page(review),
  }),
  'reviews.get': operation({
    method: 'GET',
    path: '/v1/reviews/{id}',
    summary: 'Show a campaign, and how far it is',
    scopes: ['reviews:read'],
    params,
    response: review,
  }),
  'reviews.start': operation({
    method: 'POST',
    path: '/v1/reviews/{id}/start',
    summary: 'Start a campaign: what its query finds now is what is decided on',
    scopes: ['reviews:write'],
    params,
    response: review,
    ifMatch: 'optional',
  }),
  'reviews.items': operation({
    method: 'GET',
    path: '/v1/reviews/{id}/items',
    summary: 'List the items of a campaign with their use',
    scopes: ['reviews:read'],
    params,
    query: z.strictObject({
      ...pageQuery,
      state: z.enum(REVIEW_ITEM_STATES).optional(),
      for: z.literal('me').optional().describe('That wait for the signed-in person'),
    }),
    response: page(reviewItem),
  }),
  'reviews.decide': operation({
    method: 'POST',
    path: '/v1/reviews/{id}/decisions',
    summary: 'Decide on an item, and carry it out; people only',
    scopes: ['reviews:decide'],
    params,
    body: reviewDecide,
    response: reviewItem,
  }),
  'reviews.close': operation({
    method: 'POST',
    path: '/v1/reviews/{id}/close',
    summary: 'End a campaign early; people only. What is undecided stays as it is',
    scopes: ['reviews:write'],
    params,
    body: z.strictObject({ reason }),
    response: review,
    ifMatch: 'optional',
    destructive: true,
  }),
  'reviews.quality': operation({
    method: 'GET',
    path: '/v1/reviews/{id}/quality',
    summary: 'How a campaign was reviewed: pace, keeps, bulk decisions, later reversals',
    scopes: ['reviews:read'],
    params,
    response: reviewQuality,
  }),
  'reviews.report': operation({
    method: 'GET',
    path: '/v1/reviews/{id}/report',
    summary: 'Who decided what, when and on what basis: the evidence, item by item',
    scopes: ['reviews:read'],
    params,
    query: z.strictObject({
      ...pageQuery,
      format: z
        .enum(['json', 'csv'])
        .default('json')
        .describe('`csv`: text/csv; the cursor of the next page is in the header `Next-Cursor`'),
    }),
    response: page(reviewItem).extend({ review }),
  }),
};
