import type { MailRecord, MailState, MailStore } from '../storage/mails.ts';
import { type Session, statement } from './database.ts';

interface MailRow {
  id: string;
  kind: string;
  recipient: string;
  dedupe: string | null;
  subject: string;
  body: string;
  state: string;
  attempts: number;
  next_at: number;
  last_error: string | null;
  created_at: number;
  finished_at: number | null;
}

const COLUMNS =
  'id, kind, recipient, dedupe, subject, body, state, attempts, next_at, last_error, created_at, finished_at';

const insertMail = statement(
  'mails_insert',
  `INSERT INTO mails (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
   ON CONFLICT (dedupe) WHERE dedupe IS NOT NULL DO NOTHING`,
);
const selectById = statement('mails_by_id', `SELECT ${COLUMNS} FROM mails WHERE id = $1`);
const selectDue = statement(
  'mails_due',
  `SELECT ${COLUMNS} FROM mails WHERE state = 'waiting' AND next_at <= $1 ORDER BY next_at, id LIMIT $2`,
);
const claimAttempt = statement(
  'mails_claim',
  `UPDATE mails SET attempts = $2 + 1, next_at = $3 WHERE id = $1 AND attempts = $2 AND state = 'waiting'`,
);
const settleAttempt = statement(
  'mails_settle',
  `UPDATE mails SET state = $3, next_at = $4, last_error = $5, finished_at = $6
   WHERE id = $1 AND attempts = $2 AND state = 'waiting'`,
);
const giveUpSome = statement(
  'mails_give_up',
  `UPDATE mails SET state = 'given_up', finished_at = $2, last_error = COALESCE(last_error, $3) WHERE id IN
     (SELECT id FROM mails WHERE state = 'waiting' AND attempts > 0 AND created_at < $1 LIMIT $4)`,
);
const forgetSome = statement(
  'mails_forget',
  `DELETE FROM mails WHERE id IN
     (SELECT id FROM mails WHERE state <> 'waiting' AND finished_at < $1 LIMIT $2)`,
);

function fromRow(row: MailRow): MailRecord {
  return {
    id: row.id,
    kind: row.kind as MailRecord['kind'],
    recipient: row.recipient,
    dedupe: row.dedupe ?? undefined,
    subject: row.subject,
    body: row.body,
    state: row.state as MailState,
    attempts: row.attempts,
    nextAt: row.next_at,
    lastError: row.last_error ?? undefined,
    createdAt: row.created_at,
    finishedAt: row.finished_at ?? undefined,
  };
}

export function mailStore(session: Session): MailStore {
  const run = (...call: Parameters<Session['run']>): Promise<number> =>
    session.write((tx) => tx.run(...call));
  return {
    insert: async (record) => {
      const { id, kind, recipient, dedupe, subject, body, state, attempts, nextAt, lastError } = record;
      const row = [id, kind, recipient, dedupe, subject, body, state, attempts, nextAt, lastError];
      return (await run(insertMail, [...row, record.createdAt, record.finishedAt])) === 1;
    },
    byId: async (id) => (await session.query<MailRow>(selectById, [id])).map(fromRow)[0],
    due: async (until, limit) => (await session.query<MailRow>(selectDue, [until, limit])).map(fromRow),
    claim: async (id, attempts, nextAt) => (await run(claimAttempt, [id, attempts, nextAt])) === 1,
    settle: async (id, attempts, { state, nextAt, lastError, finishedAt }) => {
      await run(settleAttempt, [id, attempts, state, nextAt, lastError, finishedAt]);
    },
    giveUp: (before, at, reason, limit) => run(giveUpSome, [before, at, reason, limit]),
    forget: (before, limit) => run(forgetSome, [before, limit]),
  };
}
