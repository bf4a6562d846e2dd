import { StorageError } from '../../storage/errors.ts';
import { type DeliveryDeps, deliverToWebhook } from '../notices/deliver-to-webhook.ts';
import type { Job } from './job.ts';

const EVERY_MS = 2000;
const DAY_MS = 86_400_000;
/** So long what became of a notice can be looked up. */
export const DELIVERIES_KEPT_MS: number = 7 * DAY_MS;
const FORGOTTEN_AT_ONCE = 1000;
const FORGET_EVERY_MS = 60_000;

/**
 * Sends notices, each webhook beside the others: one that is slow holds up nobody else's for longer than its turn. Any number
 * of nodes may do so at once. The first run sends nothing: no start waits for a receiver.
 */
export function deliverWebhooksJob(deps: DeliveryDeps): Job {
  let started = false;
  let forgetAt = 0;
  return {
    name: 'deliver-webhooks',
    everyMs: EVERY_MS,
    async run(signal) {
      if (!started) {
        started = true;
        return;
      }
      const webhooks = await deps.storage.webhooks.live();
      const enabled = webhooks.filter(({ state }) => state === 'enabled');
      const runs = await Promise.allSettled(enabled.map((each) => deliverUnlessTaken(deps, each, signal)));
      const now = deps.clock.now();
      if (now >= forgetAt) {
        forgetAt = now + FORGET_EVERY_MS;
        await deps.storage.webhookDeliveries.forget(now - DELIVERIES_KEPT_MS, FORGOTTEN_AT_ONCE);
      }
      const failed = runs.find((run) => run.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    },
  };
}

async function deliverUnlessTaken(
  ...[deps, webhook, signal]: Parameters<typeof deliverToWebhook>
): Promise<void> {
  try {
    await deliverToWebhook(deps, webhook, signal);
  } catch (error) {
    // Somebody changed the webhook at the same moment.
    if (!(error instanceof StorageError) || error.fault === 'unavailable') throw error;
  }
}
