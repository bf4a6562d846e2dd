import { webhookSecretKey } from '@countersign/protocol';
import { z } from 'zod';
import { operation } from './contract.ts';
import { instant, name, page, pageQuery, prose, recordId, span } from './fields.ts';

export const WEBHOOK_STATES = ['enabled', 'disabled', 'deleted'] as const;
export type WebhookState = (typeof WEBHOOK_STATES)[number];
/** `waiting`: not there yet, however often it was tried. `given_up`: it was tried for as long as is tried, or nobody is to have it. */
export const DELIVERY_STATES = ['waiting', 'delivered', 'given_up'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** `*`, `credential.*` or `credential.expired`. */
export const eventPattern = z
  .string()
  .max(100)
  .regex(
    /^(?:\*|[a-z][a-z_]*\.(?:\*|[a-z][a-z_]*))$/,
    'must be * or a kind of event such as credential.* or credential.expired',
  );

const patterns = z
  .array(eventPattern)
  .min(1)
  .max(50)
  .refine((list) => new Set(list).size === list.length, 'must not repeat one');

const target = z
  .url({ protocol: /^https?$/, error: 'must be an https URL' })
  .max(2048)
  .describe('Where notices go: https, without user and fragment');

/** A member that is left out of a document is as at creation. */
export const webhookMembers = {
  url: target,
  events: patterns.describe('Which events: *, credential.* or credential.expired'),
  description: prose(500).optional().describe('What it is for'),
};

export const webhookSecret = z
  .string()
  .max(100)
  .refine((value) => webhookSecretKey(value) !== undefined, 'must be a secret of a webhook (whsec_…)');

export const webhookCreate = z.strictObject({ name, ...webhookMembers }).meta({ id: 'WebhookCreate' });

export const webhookPatch = z
  .strictObject({
    url: target.optional(),
    events: patterns.optional(),
    description: prose(500).nullable().optional(),
    state: z.enum(['enabled', 'disabled']).optional(),
  })
  .meta({ id: 'WebhookPatch' });

const secretAge = z.object({
  made_at: instant,
  retires_at: instant.nullable().describe('When it stops to sign; null: it is the present one'),
});

export const webhook = z
  .object({
    id: z.string(),
    name: z.string(),
    url: z.string(),
    events: z.array(z.string()),
    description: z.string().nullable(),
    state: z.enum(WEBHOOK_STATES),
    disabled_reason: z.string().nullable().describe('Why the authority disabled it; null when people did'),
    secrets: z.array(secretAge).describe('Those that sign, newest first; never the secrets themselves'),
    created_at: instant,
    updated_at: instant,
    version: z.int(),
  })
  .meta({ id: 'Webhook' });
export type Webhook = z.output<typeof webhook>;

/** How it goes lately. */
export const webhookDelivery = z
  .object({
    id: z.string(),
    webhook: z.string(),
    event: z.string().describe('Id of the audit event; the webhook-id of the notice'),
    type: z.string(),
    state: z.enum(DELIVERY_STATES),
    attempts: z.int(),
    next_attempt: instant.nullable(),
    last_attempt: instant.nullable(),
    last_status: z.int().nullable().describe('HTTP status that the receiver answered with last'),
    last_error: z.string().nullable().describe('Why it was not delivered'),
    created_at: instant,
    finished_at: instant.nullable(),
  })
  .meta({ id: 'WebhookDelivery' });
export type WebhookDelivery = z.output<typeof webhookDelivery>;

const shownOnce = z.string().describe('Shown only now');

export const createdWebhook = webhook.extend({ secret: shownOnce }).meta({ id: 'CreatedWebhook' });
export type CreatedWebhook = z.output<typeof createdWebhook>;

export const webhookTested = z
  .object({
    delivered: z.boolean(),
    event: z.string().describe('The webhook-id of the notice'),
    status: z.int().nullable().describe('HTTP status of the answer'),
    error: z.string().nullable(),
  })
  .meta({ id: 'WebhookTested' });
export type WebhookTested = z.output<typeof webhookTested>;

const params = z.strictObject({ id: recordId });

export const webhookOperations = {
  'webhooks.create': operation({
    method: 'POST',
    path: '/v1/webhooks',
    summary: 'Have notices sent to a URL; its secret is told only once',
    scopes: ['webhooks:write'],
    body: webhookCreate,
    response: createdWebhook,
    status: 201,
  }),
  'webhooks.list': operation({
    method: 'GET',
    path: '/v1/webhooks',
    summary: 'List where notices go, oldest first',
    scopes: ['webhooks:read'],
    query: z.strictObject({ ...pageQuery }),
    response: page(webhook),
  }),
  'webhooks.get': operation({
    method: 'GET',
    path: '/v1/webhooks/{id}',
    summary: 'Show a webhook',
    scopes: ['webhooks:read'],
    params,
    response: webhook,
  }),
  'webhooks.patch': operation({
    method: 'PATCH',
    path: '/v1/webhooks/{id}',
    summary: 'Change a webhook, disable it or enable it again',
    scopes: ['webhooks:write'],
    params,
    body: webhookPatch,
    response: webhook,
  }),
  'webhooks.delete': operation({
    method: 'DELETE',
    path: '/v1/webhooks/{id}',
    summary: 'Remove a webhook; what waits for it is not sent',
    scopes: ['webhooks:write'],
    params,
    response: webhook,
  }),
  'webhooks.rotate': operation({
    method: 'POST',
    path: '/v1/webhooks/{id}/rotate',
    summary: 'Make a new secret; for a time both sign',
    scopes: ['webhooks:write'],
    params,
    body: z
      .strictObject({
        overlap: span.default('1d').describe('How long the old one signs as well, at most 30d'),
      })
      .meta({ id: 'WebhookRotate' }),
    response: createdWebhook,
    ifMatch: 'optional',
  }),
  'webhooks.test': operation({
    method: 'POST',
    path: '/v1/webhooks/{id}/test',
    summary: 'Send a notice of type webhook.test now, and say what became of it',
    scopes: ['webhooks:write'],
    params,
    response: webhookTested,
  }),
  'webhooks.redeliver': operation({
    method: 'POST',
    path: '/v1/webhooks/{id}/redeliver',
    summary: 'Send again what was given up since an instant',
    scopes: ['webhooks:write'],
    params,
    body: z
      .strictObject({ since: instant.describe('Notices of before are left as they are') })
      .meta({ id: 'WebhookRedeliver' }),
    response: z
      .object({ waiting: z.int().describe('How many wait again') })
      .meta({ id: 'WebhookRedelivered' }),
  }),
  'webhooks.deliveries': operation({
    method: 'GET',
    path: '/v1/webhooks/{id}/deliveries',
    summary: 'List what was sent to a webhook in the last days, and what became of it, newest first',
    scopes: ['webhooks:read'],
    params,
    query: z.strictObject({ ...pageQuery, state: z.enum(DELIVERY_STATES).optional() }),
    response: page(webhookDelivery),
  }),
};
