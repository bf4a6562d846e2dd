import type { PersonRecord, PersonStatus, PersonStore } from '../storage/people.ts';
import { type Session, type Statement, statement } from './database.ts';
import { conditions, lowerAscii } from './list.ts';
import { type VersionedTable, versionedTable } from './versioned.ts';

interface PersonRow {
  id: string;
  handle: string;
  handle_key: string;
  name: string;
  email: string | null;
  email_key: string | null;
  external_id: string | null;
  status: string;
  left_at: number | null;
  manager: string | null;
  manager_key: string | null;
  deleted: number;
  created_at: number;
  updated_at: number;
  version: number;
}

const people: VersionedTable<PersonRecord> = versionedTable<PersonRecord, PersonRow>({
  table: 'people',
  history: 'person_history',
  columns: [
    'id',
    'handle',
    'handle_key',
    'name',
    'email',
    'email_key',
    'external_id',
    'status',
    'left_at',
    'manager',
    'manager_key',
    'deleted',
    'created_at',
    'updated_at',
    'version',
  ],
  fixed: ['handle', 'created_at'],
  toRow: (record) => ({
    id: record.id,
    handle: record.handle,
    handle_key: lowerAscii(record.handle),
    name: record.name,
    email: record.email,
    email_key: record.email && lowerAscii(record.email),
    external_id: record.externalId,
    status: record.status,
    left_at: record.leftAt,
    manager: record.managerHandle,
    manager_key: record.managerHandle && lowerAscii(record.managerHandle),
    deleted: record.deleted,
    created_at: record.createdAt,
    updated_at: record.updatedAt,
    version: record.version,
  }),
  fromRow: (row) => ({
    id: row.id,
    handle: row.handle,
    name: row.name,
    email: row.email ?? undefined,
    externalId: row.external_id ?? undefined,
    status: row.status as PersonStatus,
    leftAt: row.left_at ?? undefined,
    managerHandle: row.manager ?? undefined,
    deleted: row.deleted === 1,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  }),
});

const textOf = (condition: string): string =>
  `SELECT ${people.columns} FROM people WHERE ${condition} AND deleted = 0`;
const select = (name: string, condition: string): Statement => statement(name, textOf(condition));
const BY_HANDLE = 'handle_key = $1';
const selectByHandle = select('people_by_handle', BY_HANDLE);
/** SQLite has one writer: nobody else changes anything. */
const holdByHandle = statement('people_hold_by_handle', {
  sqlite: textOf(BY_HANDLE),
  postgres: `${textOf(BY_HANDLE)} FOR SHARE`,
});
const selectByEmail = select('people_by_email', 'email_key = $1');
const selectByExternalId = select('people_by_external_id', 'external_id = $1');

export function personStore(session: Session): PersonStore {
  return {
    insert: (record) => session.write((tx) => people.insert(tx, record)),
    replace: (record) => session.write((tx) => people.replace(tx, record)),
    byId: (id) => people.byId(session, id),
    byHandle: async (handle) => (await people.select(session, selectByHandle, [lowerAscii(handle)]))[0],
    holdByHandle: async (handle) => (await people.select(session, holdByHandle, [lowerAscii(handle)]))[0],
    byEmail: async (email) => (await people.select(session, selectByEmail, [lowerAscii(email)]))[0],
    byExternalId: async (key) => (await people.select(session, selectByExternalId, [key]))[0],
    list: async (filter, page) => {
      const where = conditions();
      where.equals('deleted', false);
      where.equals('status', filter.status);
      where.equals('manager_key', filter.manager && lowerAscii(filter.manager));
      if (filter.leftSince !== undefined) where.add(`left_at >= ${where.param(filter.leftSince)}`);
      where.contains(['handle', 'name', 'email'], filter.text);
      return await people.list(session, where, page);
    },
    asOf: (id, at) => people.asOf(session, id, at),
  };
}
