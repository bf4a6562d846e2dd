import type { OutboxStore } from '../storage/outbox.ts';
import { type Session, statement } from './database.ts';

interface OutboxRow {
  event_id: string;
  body: string;
  created_at: number;
}

const insertEvent = statement(
  'outbox_insert',
  'INSERT INTO outbox (event_id, body, created_at) VALUES ($1, $2, $3)',
);
/** `position` keeps the order in which the events of one millisecond were written. */
const selectPending = statement(
  'outbox_pending',
  `SELECT event_id, body, created_at FROM outbox WHERE created_at <= $1
   ORDER BY created_at, position LIMIT $2`,
);
/** The ids are one parameter, a JSON array: the text is the same for any number of them. */
const deleteEvents = statement('outbox_delete', {
  sqlite: 'DELETE FROM outbox WHERE event_id IN (SELECT value FROM json_each($1))',
  postgres: 'DELETE FROM outbox WHERE event_id IN (SELECT json_array_elements_text($1::json))',
});

export function outboxStore(session: Session): OutboxStore {
  return {
    insert: async (record) => {
      await session.run(insertEvent, [record.eventId, record.body, record.createdAt]);
    },
    pending: async (until, limit) => {
      const rows = await session.query<OutboxRow>(selectPending, [until, limit]);
      return rows.map((row) => ({ eventId: row.event_id, body: row.body, createdAt: row.created_at }));
    },
    delete: async (eventIds) => {
      if (eventIds.length > 0) await session.run(deleteEvents, [JSON.stringify(eventIds)]);
    },
  };
}
