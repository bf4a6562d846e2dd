import type { DeliveryState } from '@countersign/admin-api';
import type { Page, PageRequest } from './page.ts';

export type { DeliveryState };

/** One notice on its way to one webhook, or what became of it. Written in the transaction of the change that it tells of. */
export interface WebhookDeliveryRecord {
  readonly id: string;
  readonly webhookId: string;
  /** Of the audit event: the same to every webhook, and in every attempt. */
  readonly eventId: string;
  readonly type: string;
  /** What is sent, byte by byte. */
  readonly body: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  /** When it is tried next; of what is being tried, when somebody else may. */
  readonly nextAt: number;
  readonly lastAt: number | undefined;
  readonly lastStatus: number | undefined;
  readonly lastError: string | undefined;
  readonly createdAt: number;
  /** Since when it is tried: its creation, or when somebody had it sent again. */
  readonly startedAt: number;
  readonly finishedAt: number | undefined;
}

/** What became of an attempt. */
export interface DeliveryOutcome {
  readonly state: DeliveryState;
  readonly nextAt: number;
  readonly lastAt: number;
  readonly lastStatus: number | undefined;
  readonly lastError: string | undefined;
  readonly finishedAt: number | undefined;
}

export interface WebhookDeliveryStore {
  /** `missing_reference` when the webhook does not exist. */
  insert(record: WebhookDeliveryRecord): Promise<void>;
  byId(id: string): Promise<WebhookDeliveryRecord | undefined>;
  /** Those of the webhook that wait and are due at `until`, the longest overdue first. */
  due(webhookId: string, until: number, limit: number): Promise<readonly WebhookDeliveryRecord[]>;
  /** Takes the attempt after `attempts` of them: true for exactly one of those who ask. It is due again at `nextAt`. */
  claim(id: string, attempts: number, nextAt: number): Promise<boolean>;
  /** What became of attempt number `attempts`; nothing when it is no longer the last one, or finished. */
  settle(id: string, attempts: number, outcome: DeliveryOutcome): Promise<void>;
  /** How many wait, counted up to `most`. */
  waiting(webhookId: string, most: number): Promise<number>;
  /** All that wait are given up. */
  giveUp(webhookId: string, at: number, error: string): Promise<void>;
  /** Those that were given up and are not older than `since` wait again, as if never tried, at most `limit`, oldest first; how many. */
  revive(webhookId: string, since: number, now: number, limit: number): Promise<number>;
  /** Newest first. */
  list(
    filter: { readonly webhookId: string; readonly state?: DeliveryState | undefined },
    page: PageRequest,
  ): Promise<Page<WebhookDeliveryRecord>>;
  /** Deletes what was finished before, at most `limit`; how many. And what waits for a webhook that is deleted. */
  forget(before: number, limit: number): Promise<number>;
}
