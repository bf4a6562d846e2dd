import type { WebhookState } from '@countersign/admin-api';
import type { Page, PageRequest } from './page.ts';

export type { WebhookState };

/** A URL that is told of changes. */
export interface WebhookRecord {
  readonly id: string;
  /** Unique among those that are not deleted. Never changes. */
  readonly name: string;
  readonly url: string;
  /** `*`, `credential.*` or `credential.expired`. */
  readonly events: readonly string[];
  readonly description: string | undefined;
  readonly state: WebhookState;
  /** Why the authority itself disabled it; undefined when people or machines did. */
  readonly disabledReason: string | undefined;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly version: number;
}

/** One secret of a webhook. */
export interface WebhookSecretRecord {
  readonly id: string;
  readonly webhookId: string;
  /** The text of the secret, sealed under `webhook:<webhookId>`. */
  readonly sealed: string;
  /** Keyed digest of its text: by it one is found that somebody came upon. */
  readonly digest: string;
  readonly madeAt: number;
  /** From then on it does not sign any more. Undefined: it is the present one. */
  readonly retiresAt: number | undefined;
}

/** A receiver that fails: absent where the last attempt reached it. */
export interface WebhookHealth {
  readonly webhookId: string;
  /** Since then no attempt was taken. */
  readonly failingSince: number;
  /** Attempts that failed since. */
  readonly failures: number;
  /** Nothing is sent before. */
  readonly holdUntil: number;
}

export interface WebhookStore {
  /** Version 1, with its history row. `unique_conflict` (`name`) when one that is not deleted has the name. */
  insert(record: WebhookRecord): Promise<void>;
  /** Compare-and-swap on `version - 1`, with its history row; the name stays. `version_conflict`. */
  replace(record: WebhookRecord): Promise<void>;
  byId(id: string): Promise<WebhookRecord | undefined>;
  /** Not deleted ones only, as the next two. */
  byName(name: string): Promise<WebhookRecord | undefined>;
  /** All of them, oldest first; at most 1000. */
  live(): Promise<readonly WebhookRecord[]>;
  list(page: PageRequest): Promise<Page<WebhookRecord>>;

  insertSecret(record: WebhookSecretRecord): Promise<void>;
  /** Newest first. */
  secretsOf(webhookId: string): Promise<readonly WebhookSecretRecord[]>;
  bySecretDigest(digest: string): Promise<WebhookSecretRecord | undefined>;
  /** Of the ones that sign without end, all but `except` end at `at`. */
  retireSecrets(webhookId: string, except: string, at: number): Promise<void>;
  /** Those of the webhook that ended at `until` or before are gone. */
  dropRetired(webhookId: string, until: number): Promise<void>;
  dropSecrets(webhookId: string): Promise<void>;

  health(webhookId: string): Promise<WebhookHealth | undefined>;
  putHealth(health: WebhookHealth): Promise<void>;
  dropHealth(webhookId: string): Promise<void>;
}
