import type {
  WebhookHealth,
  WebhookRecord,
  WebhookSecretRecord,
  WebhookState,
  WebhookStore,
} from '../storage/webhooks.ts';
import { type Session, statement } from './database.ts';
import { conditions } from './list.ts';
import { type VersionedTable, versionedTable } from './versioned.ts';

interface WebhookRow {
  id: string;
  name: string;
  url: string;
  /** JSON. */
  events: string;
  description: string | null;
  state: string;
  disabled_reason: string | null;
  created_at: number;
  updated_at: number;
  version: number;
}

const webhooks: VersionedTable<WebhookRecord> = versionedTable<WebhookRecord, WebhookRow>({
  table: 'webhooks',
  history: 'webhook_history',
  columns: [
    'id',
    'name',
    'url',
    'events',
    'description',
    'state',
    'disabled_reason',
    'created_at',
    'updated_at',
    'version',
  ],
  fixed: ['name', 'created_at'],
  toRow: (record) => ({
    id: record.id,
    name: record.name,
    url: record.url,
    events: JSON.stringify(record.events),
    description: record.description,
    state: record.state,
    disabled_reason: record.disabledReason,
    created_at: record.createdAt,
    updated_at: record.updatedAt,
    version: record.version,
  }),
  fromRow: (row) => ({
    id: row.id,
    name: row.name,
    url: row.url,
    events: JSON.parse(row.events) as string[],
    description: row.description ?? undefined,
    state: row.state as WebhookState,
    disabledReason: row.disabled_reason ?? undefined,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  }),
});

const selectByName = statement(
  'webhooks_by_name',
  `SELECT ${webhooks.columns} FROM webhooks WHERE name = $1 AND state <> 'deleted'`,
);
const selectLive = statement(
  'webhooks_live',
  `SELECT ${webhooks.columns} FROM webhooks WHERE state <> 'deleted' ORDER BY created_at, id LIMIT 1000`,
);

interface SecretRow {
  id: string;
  webhook_id: string;
  sealed: string;
  digest: string;
  made_at: number;
  retires_at: number | null;
}

const SECRET = 'id, webhook_id, sealed, digest, made_at, retires_at';
const insertSecret = statement(
  'webhook_secrets_insert',
  `INSERT INTO webhook_secrets (${SECRET}) VALUES ($1, $2, $3, $4, $5, $6)`,
);
const selectSecrets = statement(
  'webhook_secrets_of',
  `SELECT ${SECRET} FROM webhook_secrets WHERE webhook_id = $1 ORDER BY made_at DESC, id DESC`,
);
const selectByDigest = statement(
  'webhook_secrets_by_digest',
  `SELECT ${SECRET} FROM webhook_secrets WHERE digest = $1 ORDER BY made_at LIMIT 1`,
);
const retireSecrets = statement(
  'webhook_secrets_retire',
  'UPDATE webhook_secrets SET retires_at = $3 WHERE webhook_id = $1 AND id <> $2 AND retires_at IS NULL',
);
const deleteRetired = statement(
  'webhook_secrets_drop_retired',
  'DELETE FROM webhook_secrets WHERE webhook_id = $1 AND retires_at <= $2',
);
const deleteSecrets = statement('webhook_secrets_drop', 'DELETE FROM webhook_secrets WHERE webhook_id = $1');

interface HealthRow {
  webhook_id: string;
  failing_since: number;
  failures: number;
  hold_until: number;
}

const selectHealth = statement(
  'webhook_health_of',
  'SELECT webhook_id, failing_since, failures, hold_until FROM webhook_health WHERE webhook_id = $1',
);
const putHealth = statement(
  'webhook_health_put',
  `INSERT INTO webhook_health (webhook_id, failing_since, failures, hold_until) VALUES ($1, $2, $3, $4)
   ON CONFLICT (webhook_id) DO UPDATE SET failing_since = excluded.failing_since, failures = excluded.failures,
     hold_until = excluded.hold_until`,
);
const deleteHealth = statement('webhook_health_drop', 'DELETE FROM webhook_health WHERE webhook_id = $1');

function toSecret(row: SecretRow): WebhookSecretRecord {
  return {
    id: row.id,
    webhookId: row.webhook_id,
    sealed: row.sealed,
    digest: row.digest,
    madeAt: row.made_at,
    retiresAt: row.retires_at ?? undefined,
  };
}

function toHealth(row: HealthRow): WebhookHealth {
  return {
    webhookId: row.webhook_id,
    failingSince: row.failing_since,
    failures: row.failures,
    holdUntil: row.hold_until,
  };
}

export function webhookStore(session: Session): WebhookStore {
  return {
    insert: (record) => session.write((tx) => webhooks.insert(tx, record)),
    replace: (record) => session.write((tx) => webhooks.replace(tx, record)),
    byId: (id) => webhooks.byId(session, id),
    byName: async (name) => (await webhooks.select(session, selectByName, [name]))[0],
    live: () => webhooks.select(session, selectLive, []),
    list: async (page) => {
      const where = conditions();
      where.add("state <> 'deleted'");
      return await webhooks.list(session, where, page);
    },

    insertSecret: (record) =>
      session.write(async (tx) => {
        const { id, webhookId, sealed, digest, madeAt, retiresAt } = record;
        await tx.run(insertSecret, [id, webhookId, sealed, digest, madeAt, retiresAt]);
      }),
    secretsOf: async (webhookId) =>
      (await session.query<SecretRow>(selectSecrets, [webhookId])).map(toSecret),
    bySecretDigest: async (digest) =>
      (await session.query<SecretRow>(selectByDigest, [digest])).map(toSecret)[0],
    retireSecrets: (webhookId, except, at) =>
      session.write(async (tx) => {
        await tx.run(retireSecrets, [webhookId, except, at]);
      }),
    dropRetired: (webhookId, until) =>
      session.write(async (tx) => {
        await tx.run(deleteRetired, [webhookId, until]);
      }),
    dropSecrets: (webhookId) =>
      session.write(async (tx) => {
        await tx.run(deleteSecrets, [webhookId]);
      }),

    health: async (webhookId) => (await session.query<HealthRow>(selectHealth, [webhookId])).map(toHealth)[0],
    putHealth: ({ webhookId, failingSince, failures, holdUntil }) =>
      session.write(async (tx) => {
        await tx.run(putHealth, [webhookId, failingSince, failures, holdUntil]);
      }),
    dropHealth: (webhookId) =>
      session.write(async (tx) => {
        await tx.run(deleteHealth, [webhookId]);
      }),
  };
}
