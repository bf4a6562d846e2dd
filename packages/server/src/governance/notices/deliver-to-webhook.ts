import type { Changes } from '../../audit/change.ts';
import { signingKeys, type SigningSecretDeps } from '../../registry/webhook/secret.ts';
import { disableSilent, type WebhookDeps } from '../../registry/webhook/webhook.ts';
import type { Storage } from '../../storage/storage.ts';
import type { WebhookDeliveryRecord } from '../../storage/webhook-deliveries.ts';
import type { WebhookHealth, WebhookRecord, WebhookSecretRecord } from '../../storage/webhooks.ts';
import { holdAfter, TRIED_FOR_MS, waitAfter } from './schedule.ts';
import { signedHeaders } from './signature.ts';

/** Sends to a URL: the status of the answer, or why there was none. */
export type Post = (
  url: string,
  body: string,
  options: { readonly headers: Readonly<Record<string, string>>; readonly signal?: AbortSignal | undefined },
) => Promise<
  { readonly ok: true; readonly status: number } | { readonly ok: false; readonly reason: string }
>;

export interface DeliveryDeps extends WebhookDeps {
  readonly storage: Pick<Storage, 'webhooks' | 'webhookDeliveries'>;
  readonly changes: Changes;
  readonly post: Post;
}

/** What waits for one webhook may be so many; then nobody is there who reads it. */
export const MOST_WAITING = 10_000;
/** Read at once, and sent before anything else is looked at. */
const PAGE = 40;
const AT_ONCE = 4;
/** Longer than any attempt takes: whoever died during one leaves it to others. */
const LEASE_MS = 60_000;
/** One that has much to send leaves its turn to others after this long. */
const TURN_MS = 5000;
const GONE = 410;
/** As long as a notice is tried, but for what passes until the first attempt. */
const SILENT_FOR_MS = TRIED_FOR_MS - 3_600_000;

const ACTOR = { identity: 'countersign' };

/**
 * Sends what is due for one webhook until nothing is, its receiver fails, or its turn is over. Each notice arrives at least
 * once: several nodes do not send the same attempt, and an attempt whose end nobody saw is made again.
 */
export async function deliverToWebhook(
  deps: DeliveryDeps,
  webhook: WebhookRecord,
  signal: AbortSignal,
): Promise<void> {
  const begun = deps.clock.now();
  const health = await deps.storage.webhooks.health(webhook.id);
  if (health !== undefined && health.holdUntil > begun) return;
  if ((await deps.storage.webhookDeliveries.waiting(webhook.id, MOST_WAITING + 1)) > MOST_WAITING) {
    return await disableWebhook(deps, webhook, `more than ${MOST_WAITING} notices wait for it`);
  }
  const secrets = await deps.storage.webhooks.secretsOf(webhook.id);
  const lane: Lane = { webhook, secrets, health, failed: false };
  while (!lane.failed && !signal.aborted && deps.clock.now() - begun < TURN_MS) {
    const due = await deps.storage.webhookDeliveries.due(webhook.id, deps.clock.now(), PAGE);
    for (let at = 0; at < due.length && !lane.failed && !signal.aborted; at += AT_ONCE) {
      await Promise.all(due.slice(at, at + AT_ONCE).map((each) => attempt(deps, lane, each, signal)));
    }
    if (due.length < PAGE) return;
  }
}

interface Lane {
  readonly webhook: WebhookRecord;
  readonly secrets: readonly WebhookSecretRecord[];
  health: WebhookHealth | undefined;
  /** Its receiver is not there: nothing more is tried in this turn. */
  failed: boolean;
}

async function attempt(
  deps: DeliveryDeps,
  lane: Lane,
  delivery: WebhookDeliveryRecord,
  signal: AbortSignal,
): Promise<void> {
  const { webhookDeliveries } = deps.storage;
  const begun = deps.clock.now();
  if (!(await webhookDeliveries.claim(delivery.id, delivery.attempts, begun + LEASE_MS))) return;
  const attempts = delivery.attempts + 1;
  const result = await send(deps, lane, delivery.eventId, delivery.body, signal);
  // Stopping is nobody's failure: another node, or the next start, makes this attempt again.
  if (signal.aborted && !result.ok) return;
  const now = deps.clock.now();
  const tried = { lastAt: now, lastStatus: result.ok ? result.status : undefined };
  if (isTaken(result)) {
    await webhookDeliveries.settle(delivery.id, attempts, {
      ...tried,
      state: 'delivered',
      nextAt: now,
      lastError: undefined,
      finishedAt: now,
    });
    if (lane.health !== undefined) {
      lane.health = undefined;
      await deps.storage.webhooks.dropHealth(lane.webhook.id);
    }
    return;
  }
  const lastError = result.ok ? `it answered ${result.status}` : result.reason;
  const nextAt = now + waitAfter(attempts, deps.random);
  const over = nextAt - delivery.startedAt > TRIED_FOR_MS;
  await webhookDeliveries.settle(delivery.id, attempts, {
    ...tried,
    state: over ? 'given_up' : 'waiting',
    nextAt,
    lastError,
    finishedAt: over ? now : undefined,
  });
  await noteFailure(deps, lane, result, over ? nextAt : now, lastError);
}

type Sent = Awaited<ReturnType<Post>>;

function isTaken(result: Sent): boolean {
  return result.ok && result.status >= 200 && result.status < 300;
}

/** It is not there, or asks to be left alone: 429, 502 to 504. Any other answer may be about the one notice only. */
function isAway(result: Sent): boolean {
  return !result.ok || result.status === 429 || (result.status >= 502 && result.status <= 504);
}

/** `at`: until when nothing is tried any more. */
async function noteFailure(
  deps: DeliveryDeps,
  lane: Lane,
  result: Sent,
  at: number,
  why: string,
): Promise<void> {
  const { webhook } = lane;
  if (result.ok && result.status === GONE) {
    lane.failed = true;
    return await disableWebhook(deps, webhook, 'it answered 410: it wants no notices any more');
  }
  const now = deps.clock.now();
  const failures = (lane.health?.failures ?? 0) + 1;
  const failingSince = lane.health?.failingSince ?? now;
  lane.failed = isAway(result);
  if (at - failingSince >= SILENT_FOR_MS) {
    lane.failed = true;
    return await disableWebhook(deps, webhook, `nothing was taken for three days: ${why}`);
  }
  const holdUntil = lane.failed ? now + holdAfter(failures, deps.random) : now;
  lane.health = { webhookId: webhook.id, failingSince, failures, holdUntil };
  await deps.storage.webhooks.putHealth(lane.health);
}

async function disableWebhook(deps: DeliveryDeps, { id }: WebhookRecord, reason: string): Promise<void> {
  await deps.changes.run(ACTOR, (stores, tell) => disableSilent(deps, stores, tell, id, reason));
}

/** One attempt, whatever it is for. */
export async function send(
  deps: Pick<SigningSecretDeps, 'seal' | 'clock'> & { readonly post: Post },
  { webhook, secrets }: Pick<Lane, 'webhook' | 'secrets'>,
  id: string,
  body: string,
  signal?: AbortSignal,
): Promise<Sent> {
  const now = deps.clock.now();
  const headers = signedHeaders(signingKeys(deps, secrets, now), id, now, body);
  return await deps.post(webhook.url, body, { headers, signal });
}
