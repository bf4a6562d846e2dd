import type { ParamsOf, ResponseOf } from '@countersign/admin-api';
import type { Changes } from '../../audit/change.ts';
import { newId } from '../../ids.ts';
import {
  changeWebhook,
  createWebhook,
  deleteWebhook,
  redeliver,
  rotateWebhookSecret,
  type WebhookDeps,
} from '../../registry/webhook/webhook.ts';
import { type WebhookView, webhookView } from '../../registry/webhook/view.ts';
import { rfc3339 } from '../../registry/views.ts';
import type { Storage, Stores } from '../../storage/storage.ts';
import type { WebhookDeliveryRecord } from '../../storage/webhook-deliveries.ts';
import type { WebhookRecord } from '../../storage/webhooks.ts';
import { type Post, send } from '../notices/deliver-to-webhook.ts';
import type { Admin } from './admin.ts';
import { pageOf, readPosition } from './cursor.ts';
import type { NounHandlers } from './endpoint.ts';
import { required } from './find-record.ts';
import { spanOf } from './span.ts';

export type WebhookHandlerDeps = WebhookDeps & {
  readonly storage: Pick<Storage, 'webhooks' | 'webhookDeliveries'>;
  readonly changes: Changes;
  readonly post: Post;
};

export function webhookHandlers(deps: WebhookHandlerDeps): NounHandlers<'webhooks'> {
  const { storage } = deps;
  return {
    'webhooks.create': {
      kind: 'write',
      async run({ body: { name, url, events, description } }, stores, tell) {
        const asked = { name, url, events, description };
        const { record, secret } = await createWebhook(deps, stores, tell, asked);
        const { body, version } = await resultOf(stores, record);
        return { body: { ...body, secret }, version, location: `/v1/webhooks/${record.id}` };
      },
    },

    'webhooks.list': {
      kind: 'read',
      async run({ query }) {
        const page = { limit: query.limit, after: readPosition(query.cursor) };
        return { body: await pageOf(await storage.webhooks.list(page), (each) => viewOf(storage, each)) };
      },
    },

    'webhooks.get': {
      kind: 'read',
      async run({ params }) {
        return await resultOf(storage, await webhookOf(storage, params));
      },
    },

    'webhooks.patch': {
      kind: 'write',
      async run({ params, body, requireVersion }, stores, tell) {
        const record = await webhookOf(stores, params);
        requireVersion(record.version);
        return await resultOf(stores, await changeWebhook(deps, stores, tell, record, body));
      },
    },

    'webhooks.delete': {
      kind: 'write',
      async run({ params, requireVersion }, stores, tell) {
        const record = await webhookOf(stores, params);
        requireVersion(record.version);
        return await resultOf(stores, await deleteWebhook(deps, stores, tell, record));
      },
    },

    'webhooks.rotate': {
      kind: 'write',
      async run({ params, body, requireVersion }, stores, tell) {
        const before = await webhookOf(stores, params);
        requireVersion(before.version);
        const overlap = spanOf(body.overlap, 'overlap');
        const { record, secret } = await rotateWebhookSecret(deps, stores, tell, before, overlap);
        const result = await resultOf(stores, record);
        return { ...result, body: { ...result.body, secret } };
      },
    },

    'webhooks.test': {
      kind: 'many',
      async run({ params, admin }) {
        return { body: await sendTest(deps, await webhookOf(storage, params), admin) };
      },
      async preview({ params }) {
        await webhookOf(storage, params);
        return [];
      },
    },

    'webhooks.redeliver': {
      kind: 'write',
      async run({ params, body }, stores, tell) {
        const record = await webhookOf(stores, params);
        const since = Date.parse(body.since);
        return { body: { waiting: await redeliver(deps, stores, tell, record, since) } };
      },
    },

    'webhooks.deliveries': {
      kind: 'read',
      async run({ params, query }) {
        const { id } = await webhookOf(storage, params);
        const page = { limit: query.limit, after: readPosition(query.cursor) };
        const found = await storage.webhookDeliveries.list({ webhookId: id, state: query.state }, page);
        return { body: await pageOf(found, deliveryView) };
      },
    },
  };
}

async function webhookOf(
  stores: Pick<Stores, 'webhooks'>,
  { id }: ParamsOf<'webhooks.get'>,
): Promise<WebhookRecord> {
  const record = required(await stores.webhooks.byId(id), 'webhook');
  return required(record.state === 'deleted' ? undefined : record, 'webhook');
}

async function viewOf(stores: Pick<Stores, 'webhooks'>, record: WebhookRecord): Promise<WebhookView> {
  return webhookView(record, await stores.webhooks.secretsOf(record.id));
}

async function resultOf(
  stores: Pick<Stores, 'webhooks'>,
  record: WebhookRecord,
): Promise<{ body: WebhookView; version: number }> {
  return { body: await viewOf(stores, record), version: record.version };
}

/** Also to one that is disabled: whether it would work is what the test is for. */
async function sendTest(
  deps: WebhookHandlerDeps,
  webhook: WebhookRecord,
  { actor }: Admin,
): Promise<ResponseOf<'webhooks.test'>> {
  const { storage, changes, clock, random } = deps;
  const secrets = await storage.webhooks.secretsOf(webhook.id);
  // Before it is sent: whoever has something sent somewhere is in the log, whatever comes of it.
  await changes.run(actor, async (_stores, tell) => tell({ type: 'webhook.tested', resource: webhook.id }));
  const event = newId('evt', random);
  const body = JSON.stringify({
    type: 'webhook.test',
    timestamp: rfc3339(clock.now()),
    data: {
      event,
      resource: { kind: 'webhook', id: webhook.id, name: webhook.name },
      reason: 'Somebody tries whether notices arrive.',
      by: actor.identity,
    },
  });
  const result = await send(deps, { webhook, secrets }, event, body);
  const delivered = result.ok && result.status >= 200 && result.status < 300;
  return {
    delivered,
    event,
    status: result.ok ? result.status : null,
    error: delivered ? null : result.ok ? `it answered ${result.status}` : result.reason,
  };
}

function deliveryView(record: WebhookDeliveryRecord): ResponseOf<'webhooks.deliveries'>['items'][number] {
  const instant = (at: number | undefined): string | null => (at === undefined ? null : rfc3339(at));
  return {
    id: record.id,
    webhook: record.webhookId,
    event: record.eventId,
    type: record.type,
    state: record.state,
    attempts: record.attempts,
    next_attempt: record.state === 'waiting' ? rfc3339(record.nextAt) : null,
    last_attempt: instant(record.lastAt),
    last_status: record.lastStatus ?? null,
    last_error: record.lastError ?? null,
    created_at: rfc3339(record.createdAt),
    finished_at: instant(record.finishedAt),
  };
}
