import type { Actor, ToldChange } from '../../audit/change.ts';
import type { RandomBytes } from '../../ids.ts';
import { newId } from '../../ids.ts';
import type { Stores } from '../../storage/storage.ts';
import { matchesEvent } from '../webhook/pattern.ts';
import { mailNoticesOf } from './mail-notice.ts';
import { type Notice, noticeOf } from './notice.ts';

export interface QueueDeps {
  readonly random: RandomBytes;
  /** Whether there is a server that takes mail. */
  readonly mail: boolean;
}

/**
 * Puts what others are to be told of a change where it is sent from, in the transaction of the change: told is what is done, and
 * what is done is told, whatever dies when.
 */
export async function queueNotices(
  { random, mail }: QueueDeps,
  stores: Pick<Stores, 'webhooks' | 'webhookDeliveries' | 'mails'>,
  actor: Actor,
  changes: readonly ToldChange[],
): Promise<void> {
  if (changes.length === 0) return;
  const webhooks = (await stores.webhooks.live()).filter(({ state }) => state === 'enabled');
  for (const change of changes) {
    const matching = webhooks.filter(({ events }) => matchesEvent(events, change.type));
    if (matching.length === 0 && !mail) continue;
    const notice = noticeOf(actor, change);
    for (const { id } of matching) await queueForWebhook(random, stores, id, notice, change.at);
    if (mail) await queueMails(random, stores, change, notice);
  }
}

async function queueForWebhook(
  random: RandomBytes,
  stores: Pick<Stores, 'webhookDeliveries'>,
  webhookId: string,
  notice: Notice,
  at: number,
): Promise<void> {
  await stores.webhookDeliveries.insert({
    id: newId('dlv', random),
    webhookId,
    eventId: notice.data.event,
    type: notice.type,
    body: JSON.stringify(notice),
    state: 'waiting',
    attempts: 0,
    nextAt: at,
    lastAt: undefined,
    lastStatus: undefined,
    lastError: undefined,
    createdAt: at,
    startedAt: at,
    finishedAt: undefined,
  });
}

async function queueMails(
  random: RandomBytes,
  stores: Pick<Stores, 'mails'>,
  change: ToldChange,
  notice: Notice,
): Promise<void> {
  for (const { recipient, subject } of mailNoticesOf(change, notice)) {
    await stores.mails.insert({
      id: newId('mal', random),
      kind: 'notice',
      recipient,
      dedupe: undefined,
      subject,
      body: '',
      state: 'waiting',
      attempts: 0,
      nextAt: change.at,
      lastError: undefined,
      createdAt: change.at,
      finishedAt: undefined,
    });
  }
}
