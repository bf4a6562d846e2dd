import { StorageError } from '../storage/errors.ts';
import type {
  OnSilence,
  RemainingTokens,
  ReviewQuery,
  ReviewRecord,
  ReviewState,
  ReviewStore,
} from '../storage/reviews.ts';
import { type Session, type SqlParam, statement } from './database.ts';
import { conditions, OLDEST_FIRST, pageOf, pageStatement } from './list.ts';

interface Row {
  id: string;
  name: string;
  /** JSON, as the next one. */
  query: string;
  reviewers: string;
  fallback: string;
  not_owner: number;
  opens_at: number | null;
  due_at: number;
  silence_at: number;
  /** JSON. */
  reminders: string;
  reminded: number;
  on_silence: string;
  tokens: string;
  use_within: number;
  repeat_every: number | null;
  state: string;
  state_reason: string | null;
  items: number;
  looked_at: number | null;
  looked_id: string | null;
  next_at: number | null;
  created_by: string;
  started_at: number | null;
  ended_at: number | null;
  created_at: number;
  updated_at: number;
  version: number;
}

/** Given at the beginning for ever. */
const FIXED = [
  'id',
  'name',
  'query',
  'reviewers',
  'fallback',
  'not_owner',
  'opens_at',
  'due_at',
  'silence_at',
  'reminders',
  'on_silence',
  'tokens',
  'use_within',
  'repeat_every',
  'created_by',
  'created_at',
];
const MUTABLE = [
  'reminded',
  'state',
  'state_reason',
  'items',
  'looked_at',
  'looked_id',
  'next_at',
  'started_at',
  'ended_at',
  'updated_at',
  'version',
];
const COLUMNS = [...FIXED, ...MUTABLE];
const LIST = COLUMNS.join(', ');

const insertRow = statement(
  'reviews_insert',
  `INSERT INTO reviews (${LIST}) VALUES (${COLUMNS.map((_, place) => `$${place + 1}`).join(', ')})`,
);
const replaceRow = statement(
  'reviews_replace',
  `UPDATE reviews SET ${MUTABLE.map((column, place) => `${column} = $${place + 2}`).join(', ')}
   WHERE id = $1 AND version = $${MUTABLE.length + 2}`,
);
const BY_ID = `SELECT ${LIST} FROM reviews WHERE id = $1`;
const selectById = statement('reviews_by_id', BY_ID);
/** SQLite has one writer: nobody else changes anything. */
const holdById = statement('reviews_hold', { sqlite: BY_ID, postgres: `${BY_ID} FOR SHARE` });
const selectDue = statement(
  'reviews_due',
  `SELECT ${LIST} FROM reviews WHERE next_at IS NOT NULL AND next_at <= $1 ORDER BY next_at, id LIMIT $2`,
);
const countLive = statement(
  'reviews_live',
  `SELECT COUNT(*) AS n FROM reviews WHERE state IN ('planned', 'starting', 'open', 'overdue')`,
);

function fixedOf(record: ReviewRecord): SqlParam[] {
  return [
    record.id,
    record.name,
    JSON.stringify(record.query),
    JSON.stringify(record.reviewers),
    record.fallback,
    record.notOwner,
    record.opensAt,
    record.dueAt,
    record.silenceAt,
    JSON.stringify(record.reminders),
    record.onSilence,
    record.tokens,
    record.useWithinMs,
    record.repeatEveryMs,
    record.createdBy,
    record.createdAt,
  ];
}

function mutableOf(record: ReviewRecord): SqlParam[] {
  return [
    record.reminded,
    record.state,
    record.stateReason,
    record.items,
    record.lookedUpTo?.createdAt,
    record.lookedUpTo?.id,
    record.nextAt,
    record.startedAt,
    record.endedAt,
    record.updatedAt,
    record.version,
  ];
}

function recordOf(row: Row): ReviewRecord {
  return {
    id: row.id,
    name: row.name,
    query: JSON.parse(row.query) as ReviewQuery,
    reviewers: JSON.parse(row.reviewers) as string[],
    fallback: row.fallback,
    notOwner: row.not_owner === 1,
    opensAt: row.opens_at ?? undefined,
    dueAt: row.due_at,
    silenceAt: row.silence_at,
    reminders: JSON.parse(row.reminders) as number[],
    reminded: row.reminded,
    onSilence: row.on_silence as OnSilence,
    tokens: row.tokens as RemainingTokens,
    useWithinMs: row.use_within,
    repeatEveryMs: row.repeat_every ?? undefined,
    state: row.state as ReviewState,
    stateReason: row.state_reason ?? undefined,
    items: row.items,
    lookedUpTo:
      row.looked_at === null || row.looked_id === null
        ? undefined
        : { createdAt: row.looked_at, id: row.looked_id },
    nextAt: row.next_at ?? undefined,
    createdBy: row.created_by,
    startedAt: row.started_at ?? undefined,
    endedAt: row.ended_at ?? undefined,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  };
}

export function reviewStore(session: Session): ReviewStore {
  const select = async (text: ReturnType<typeof statement>, params: readonly SqlParam[]) =>
    (await session.query<Row>(text, params)).map(recordOf);
  return {
    insert: (record) =>
      session.write(async (tx) => {
        await tx.run(insertRow, [...fixedOf(record), ...mutableOf(record)]);
      }),
    replace: (record) =>
      session.write(async (tx) => {
        const replaced = await tx.run(replaceRow, [record.id, ...mutableOf(record), record.version - 1]);
        if (replaced === 0) throw new StorageError('version_conflict', 'reviews');
      }),
    byId: async (id) => (await select(selectById, [id]))[0],
    hold: async (id) => (await select(holdById, [id]))[0],
    list: async ({ state }, page) => {
      const where = conditions();
      where.equals('state', state);
      const text = pageStatement(`SELECT ${LIST} FROM reviews`, where, OLDEST_FIRST, page);
      return pageOf(await select(text, where.params), page.limit);
    },
    due: (now, limit) => select(selectDue, [now, limit]),
    live: async () => (await session.query<{ n: number }>(countLive))[0]?.n ?? 0,
  };
}
