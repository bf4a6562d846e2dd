import type { Dialect } from '../database.ts';

/** Where notices go, and those that are on their way. */
export function notices(dialect: Dialect): readonly string[] {
  // Ids and times are compared byte by byte in both databases.
  const text = dialect === 'postgres' ? 'TEXT COLLATE "C"' : 'TEXT';
  const webhook = `name ${text} NOT NULL, url ${text} NOT NULL, events ${text} NOT NULL, description ${text},
    state ${text} NOT NULL, disabled_reason ${text}, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL`;
  return [
    `CREATE TABLE webhooks (id ${text} PRIMARY KEY, ${webhook})`,
    `CREATE UNIQUE INDEX webhooks_name ON webhooks (name) WHERE state <> 'deleted'`,
    'CREATE INDEX webhooks_page ON webhooks (created_at, id)',
    `CREATE TABLE webhook_history (id ${text} NOT NULL, ${webhook}, valid_from BIGINT NOT NULL,
      valid_to BIGINT NOT NULL, PRIMARY KEY (id, version))`,
    `CREATE TABLE webhook_secrets (id ${text} PRIMARY KEY, webhook_id ${text} NOT NULL REFERENCES webhooks (id),
      sealed ${text} NOT NULL, digest ${text} NOT NULL, made_at BIGINT NOT NULL, retires_at BIGINT)`,
    'CREATE INDEX webhook_secrets_webhook ON webhook_secrets (webhook_id, made_at)',
    'CREATE INDEX webhook_secrets_digest ON webhook_secrets (digest)',
    `CREATE TABLE webhook_health (webhook_id ${text} PRIMARY KEY REFERENCES webhooks (id),
      failing_since BIGINT NOT NULL, failures BIGINT NOT NULL, hold_until BIGINT NOT NULL)`,
    `CREATE TABLE webhook_deliveries (id ${text} PRIMARY KEY, webhook_id ${text} NOT NULL REFERENCES webhooks (id),
      event_id ${text} NOT NULL, type ${text} NOT NULL, body ${text} NOT NULL, state ${text} NOT NULL,
      attempts BIGINT NOT NULL, next_at BIGINT NOT NULL, last_at BIGINT, last_status BIGINT, last_error ${text},
      created_at BIGINT NOT NULL, started_at BIGINT NOT NULL, finished_at BIGINT)`,
    `CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_at, id) WHERE state = 'waiting'`,
    'CREATE INDEX webhook_deliveries_page ON webhook_deliveries (webhook_id, created_at, id)',
    "CREATE INDEX webhook_deliveries_finished ON webhook_deliveries (finished_at) WHERE state <> 'waiting'",

    `CREATE TABLE mails (id ${text} PRIMARY KEY, kind ${text} NOT NULL, recipient ${text} NOT NULL, dedupe ${text},
      subject ${text} NOT NULL, body ${text} NOT NULL, state ${text} NOT NULL, attempts BIGINT NOT NULL,
      next_at BIGINT NOT NULL, last_error ${text}, created_at BIGINT NOT NULL, finished_at BIGINT)`,
    'CREATE UNIQUE INDEX mails_dedupe ON mails (dedupe) WHERE dedupe IS NOT NULL',
    "CREATE INDEX mails_due ON mails (next_at, id) WHERE state = 'waiting'",
    "CREATE INDEX mails_finished ON mails (finished_at) WHERE state <> 'waiting'",
  ];
}
