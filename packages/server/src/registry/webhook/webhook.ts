import { newId } from '../../ids.ts';
import type { Stores } from '../../storage/storage.ts';
import type { WebhookRecord } from '../../storage/webhooks.ts';
import { same, type Tell } from '../change-rules.ts';
import { RegistryRefusal } from '../refusal.ts';
import { addSecret, type SigningSecretDeps } from './secret.ts';
import { webhookView } from './view.ts';

export interface WebhookDeps extends SigningSecretDeps {
  /** Why nothing would ever be sent to a URL, as far as it says so itself. */
  readonly fetchFault: (url: string) => string | undefined;
}

type Writing = Pick<Stores, 'webhooks' | 'webhookDeliveries'>;

/** All are looked at for each change. */
const MOST_WEBHOOKS = 50;
/** Of one webhook at once: each signs every notice. */
const MOST_SECRETS = 5;
const LONGEST_OVERLAP_MS = 30 * 86_400_000;
/** At once: no change waits for it, and what waits then is not so much that the webhook is disabled. */
export const MOST_REVIVED = 5000;

export interface NewWebhook {
  readonly name: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly description: string | undefined;
  readonly state?: 'enabled' | 'disabled' | undefined;
  /** One that exists already and that the caller has checked to be well-formed; made when undefined. */
  readonly secret?: string | undefined;
}

/** Members to change, each as a whole; absent ones stay. */
export interface WebhookChange {
  readonly url?: string | undefined;
  readonly events?: readonly string[] | undefined;
  readonly description?: string | null | undefined;
  readonly state?: 'enabled' | 'disabled' | undefined;
}

/** The secret is in the result and nowhere else in the open. */
export async function createWebhook(
  deps: WebhookDeps,
  stores: Writing,
  tell: Tell,
  { secret: given, state = 'enabled', ...asked }: NewWebhook,
): Promise<{ readonly record: WebhookRecord; readonly secret: string }> {
  requireSendable(deps, asked.url);
  const live = await stores.webhooks.live();
  const taken = live.find(({ name }) => name === asked.name);
  if (taken !== undefined) {
    throw new RegistryRefusal('already_exists', `there is a webhook ${asked.name} already`, {
      pointer: '/name',
      existing: taken.id,
    });
  }
  if (live.length >= MOST_WEBHOOKS)
    throw new RegistryRefusal('limit_reached', `there are at most ${MOST_WEBHOOKS} webhooks`);
  const now = deps.clock.now();
  const record: WebhookRecord = {
    id: newId('whk', deps.random),
    ...asked,
    state,
    disabledReason: undefined,
    createdAt: now,
    updatedAt: now,
    version: 1,
  };
  await stores.webhooks.insert(record);
  const { secret, record: made } = await addSecret(deps, stores, record.id, given);
  tell({ type: 'webhook.created', resource: record.id, after: webhookView(record, [made]) });
  return { record, secret };
}

/** The record with the change made; the same record, and no event, when there is nothing to change. */
export async function changeWebhook(
  deps: WebhookDeps,
  stores: Writing,
  tell: Tell,
  record: WebhookRecord,
  change: WebhookChange,
): Promise<WebhookRecord> {
  requireLive(record);
  const { url = record.url, events = record.events, state = record.state } = change;
  const description =
    change.description === undefined ? record.description : (change.description ?? undefined);
  const changed: WebhookRecord = { ...record, url, events, description, state };
  if (same(changed, record)) return record;
  if (url !== record.url) requireSendable(deps, url);
  if (state === record.state) return await replace(deps, stores, tell, record, changed, 'updated');
  if (state === 'disabled') return await disable(deps, stores, tell, record, changed, 'it was disabled');
  // What failed before says nothing about it any more.
  await stores.webhooks.dropHealth(record.id);
  return await replace(deps, stores, tell, record, { ...changed, disabledReason: undefined }, 'enabled');
}

/** By the authority itself: nobody takes what is sent there. Nothing when it is not enabled any more. */
export async function disableSilent(
  deps: WebhookDeps,
  stores: Writing,
  tell: Tell,
  id: string,
  reason: string,
): Promise<void> {
  const record = await stores.webhooks.byId(id);
  if (record?.state !== 'enabled') return;
  const disabled: WebhookRecord = { ...record, state: 'disabled', disabledReason: reason };
  await disable(deps, stores, tell, record, disabled, reason);
}

/** What waits for it is given up, and its secrets are gone. */
export async function deleteWebhook(
  deps: WebhookDeps,
  stores: Writing,
  tell: Tell,
  record: WebhookRecord,
): Promise<WebhookRecord> {
  if (record.state === 'deleted') return record;
  await stores.webhookDeliveries.giveUp(record.id, deps.clock.now(), 'the webhook was deleted');
  const deleted = await replace(deps, stores, tell, record, { ...record, state: 'deleted' }, 'deleted');
  await stores.webhooks.dropHealth(record.id);
  await stores.webhooks.dropSecrets(record.id);
  return deleted;
}

/** A new secret; those that there are sign as well for `overlapMs`, so that the receiver can take it over meanwhile. */
export async function rotateWebhookSecret(
  deps: WebhookDeps,
  stores: Writing,
  tell: Tell,
  record: WebhookRecord,
  overlapMs: number,
): Promise<{ readonly record: WebhookRecord; readonly secret: string }> {
  requireLive(record);
  if (overlapMs > LONGEST_OVERLAP_MS) {
    throw new RegistryRefusal('end_out_of_range', 'overlap is at most 30d', { pointer: '/overlap' });
  }
  const now = deps.clock.now();
  await stores.webhooks.dropRetired(record.id, now);
  const before = await stores.webhooks.secretsOf(record.id);
  if (before.length >= MOST_SECRETS) {
    throw new RegistryRefusal(
      'limit_reached',
      `at most ${MOST_SECRETS} secrets sign at once; the oldest ends first`,
    );
  }
  const { secret, record: made } = await addSecret(deps, stores, record.id, undefined);
  await stores.webhooks.retireSecrets(record.id, made.id, now + overlapMs);
  const next = { ...record, updatedAt: now, version: record.version + 1 };
  await stores.webhooks.replace(next);
  tell({
    type: 'webhook.secret_rotated',
    resource: record.id,
    before: webhookView(record, before),
    after: webhookView(next, await stores.webhooks.secretsOf(record.id)),
  });
  return { record: next, secret };
}

/** How many notices that were given up since an instant (epoch ms) wait again. */
export async function redeliver(
  deps: WebhookDeps,
  stores: Writing,
  tell: Tell,
  record: WebhookRecord,
  since: number,
): Promise<number> {
  if (record.state !== 'enabled') {
    throw new RegistryRefusal('illegal_transition', 'nothing is sent to a webhook that is not enabled');
  }
  const revived = await stores.webhookDeliveries.revive(record.id, since, deps.clock.now(), MOST_REVIVED);
  if (revived > 0) {
    const of = { name: record.name, state: record.state };
    tell({
      type: 'webhook.redelivery_asked',
      resource: record.id,
      before: { ...of, waiting_again: 0 },
      after: { ...of, waiting_again: revived },
    });
  }
  return revived;
}

function requireSendable({ fetchFault }: WebhookDeps, url: string): void {
  const fault = fetchFault(url);
  if (fault === undefined) return;
  throw new RegistryRefusal(
    'unacceptable_url',
    `nothing is sent there (${fault}); what is not public needs the setting outbound-allow`,
    { pointer: '/url' },
  );
}

function requireLive({ state }: WebhookRecord): void {
  if (state === 'deleted')
    throw new RegistryRefusal('illegal_transition', 'a webhook that is deleted does not change any more');
}

async function disable(
  deps: WebhookDeps,
  stores: Writing,
  tell: Tell,
  before: WebhookRecord,
  after: WebhookRecord,
  why: string,
): Promise<WebhookRecord> {
  await stores.webhookDeliveries.giveUp(before.id, deps.clock.now(), why);
  return await replace(deps, stores, tell, before, after, 'disabled', after.disabledReason);
}

async function replace(
  deps: WebhookDeps,
  stores: Writing,
  tell: Tell,
  before: WebhookRecord,
  after: WebhookRecord,
  verb: 'updated' | 'enabled' | 'disabled' | 'deleted',
  reason?: string,
): Promise<WebhookRecord> {
  const next = { ...after, updatedAt: deps.clock.now(), version: before.version + 1 };
  await stores.webhooks.replace(next);
  const secrets = await stores.webhooks.secretsOf(before.id);
  tell({
    type: `webhook.${verb}`,
    resource: before.id,
    reason,
    before: webhookView(before, secrets),
    after: webhookView(next, secrets),
  });
  return next;
}
