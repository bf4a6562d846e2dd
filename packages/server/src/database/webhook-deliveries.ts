import type {
  DeliveryState,
  WebhookDeliveryRecord,
  WebhookDeliveryStore,
} from '../storage/webhook-deliveries.ts';
import { type Session, type SqlParam, statement } from './database.ts';
import { conditions, pageOf } from './list.ts';

interface DeliveryRow {
  id: string;
  webhook_id: string;
  event_id: string;
  type: string;
  body: string;
  state: string;
  attempts: number;
  next_at: number;
  last_at: number | null;
  last_status: number | null;
  last_error: string | null;
  created_at: number;
  started_at: number;
  finished_at: number | null;
}

const COLUMNS = `id, webhook_id, event_id, type, body, state, attempts, next_at, last_at, last_status, last_error, created_at,
  started_at, finished_at`;

const insertDelivery = statement(
  'webhook_deliveries_insert',
  `INSERT INTO webhook_deliveries (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
);
const selectById = statement(
  'webhook_deliveries_by_id',
  `SELECT ${COLUMNS} FROM webhook_deliveries WHERE id = $1`,
);
const selectDue = statement(
  'webhook_deliveries_due',
  `SELECT ${COLUMNS} FROM webhook_deliveries WHERE state = 'waiting' AND webhook_id = $1 AND next_at <= $2
   ORDER BY next_at, id LIMIT $3`,
);
const claimAttempt = statement(
  'webhook_deliveries_claim',
  `UPDATE webhook_deliveries SET attempts = $2 + 1, next_at = $3
   WHERE id = $1 AND attempts = $2 AND state = 'waiting'`,
);
const settleAttempt = statement(
  'webhook_deliveries_settle',
  `UPDATE webhook_deliveries SET state = $3, next_at = $4, last_at = $5, last_status = $6, last_error = $7, finished_at = $8
   WHERE id = $1 AND attempts = $2 AND state = 'waiting'`,
);
const countWaiting = statement(
  'webhook_deliveries_waiting',
  `SELECT COUNT(*) AS waiting FROM
     (SELECT 1 AS one FROM webhook_deliveries WHERE webhook_id = $1 AND state = 'waiting' LIMIT $2) AS counted`,
);
const giveUp = statement(
  'webhook_deliveries_give_up',
  `UPDATE webhook_deliveries SET state = 'given_up', finished_at = $2, last_error = $3
   WHERE webhook_id = $1 AND state = 'waiting'`,
);
const reviveSome = statement(
  'webhook_deliveries_revive',
  `UPDATE webhook_deliveries SET state = 'waiting', attempts = 0, next_at = $3, started_at = $3, finished_at = NULL
   WHERE id IN
     (SELECT id FROM webhook_deliveries WHERE webhook_id = $1 AND state = 'given_up' AND created_at >= $2
      ORDER BY created_at, id LIMIT $4)`,
);
const forgetSome = statement(
  'webhook_deliveries_forget',
  `DELETE FROM webhook_deliveries WHERE id IN
     (SELECT id FROM webhook_deliveries WHERE state <> 'waiting' AND finished_at < $1 LIMIT $2)`,
);
/** Of a change that was made while the webhook was deleted. */
const forgetOrphans = statement(
  'webhook_deliveries_forget_orphans',
  `DELETE FROM webhook_deliveries WHERE state = 'waiting' AND webhook_id IN
     (SELECT id FROM webhooks WHERE state = 'deleted')`,
);

function toRow(record: WebhookDeliveryRecord): SqlParam[] {
  return [
    record.id,
    record.webhookId,
    record.eventId,
    record.type,
    record.body,
    record.state,
    record.attempts,
    record.nextAt,
    record.lastAt,
    record.lastStatus,
    record.lastError,
    record.createdAt,
    record.startedAt,
    record.finishedAt,
  ];
}

function fromRow(row: DeliveryRow): WebhookDeliveryRecord {
  return {
    id: row.id,
    webhookId: row.webhook_id,
    eventId: row.event_id,
    type: row.type,
    body: row.body,
    state: row.state as DeliveryState,
    attempts: row.attempts,
    nextAt: row.next_at,
    lastAt: row.last_at ?? undefined,
    lastStatus: row.last_status ?? undefined,
    lastError: row.last_error ?? undefined,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at ?? undefined,
  };
}

export function webhookDeliveryStore(session: Session): WebhookDeliveryStore {
  const run = (...call: Parameters<Session['run']>): Promise<number> =>
    session.write((tx) => tx.run(...call));
  return {
    insert: async (record) => {
      await run(insertDelivery, toRow(record));
    },
    byId: async (id) => (await session.query<DeliveryRow>(selectById, [id])).map(fromRow)[0],
    due: async (webhookId, until, limit) =>
      (await session.query<DeliveryRow>(selectDue, [webhookId, until, limit])).map(fromRow),
    claim: async (id, attempts, nextAt) => (await run(claimAttempt, [id, attempts, nextAt])) === 1,
    settle: async (id, attempts, { state, nextAt, lastAt, lastStatus, lastError, finishedAt }) => {
      await run(settleAttempt, [id, attempts, state, nextAt, lastAt, lastStatus, lastError, finishedAt]);
    },
    waiting: async (webhookId, most) => {
      const [row] = await session.query<{ waiting: number }>(countWaiting, [webhookId, most]);
      return Number(row?.waiting ?? 0);
    },
    giveUp: async (webhookId, at, error) => {
      await run(giveUp, [webhookId, at, error]);
    },
    revive: (webhookId, since, now, limit) => run(reviveSome, [webhookId, since, now, limit]),
    list: async ({ webhookId, state }, { after, limit }) => {
      const where = conditions();
      where.equals('webhook_id', webhookId);
      where.equals('state', state);
      if (after !== undefined) {
        where.add(`(created_at, id) < (${where.param(after.createdAt)}, ${where.param(after.id)})`);
      }
      const most = where.param(limit + 1);
      const text = statement(
        '',
        `SELECT ${COLUMNS} FROM webhook_deliveries ${where.text()} ORDER BY created_at DESC, id DESC LIMIT ${most}`,
      );
      return pageOf((await session.query<DeliveryRow>(text, where.params)).map(fromRow), limit);
    },
    forget: async (before, limit) => {
      await run(forgetOrphans);
      return await run(forgetSome, [before, limit]);
    },
  };
}
