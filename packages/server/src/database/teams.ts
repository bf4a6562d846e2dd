import type { TeamRecord, TeamStore } from '../storage/teams.ts';
import { type Session, statement, type Transaction } from './database.ts';
import { conditions, lowerAscii } from './list.ts';
import { type VersionedTable, versionedTable } from './versioned.ts';

interface TeamRow {
  id: string;
  name: string;
  name_key: string;
  /** JSON: an array of handles. */
  members: string;
  lead: string | null;
  channel: string | null;
  deleted: number;
  created_at: number;
  updated_at: number;
  version: number;
}

const teams: VersionedTable<TeamRecord> = versionedTable<TeamRecord, TeamRow>({
  table: 'teams',
  history: 'team_history',
  columns: [
    'id',
    'name',
    'name_key',
    'members',
    'lead',
    'channel',
    'deleted',
    'created_at',
    'updated_at',
    'version',
  ],
  fixed: ['name', 'created_at'],
  toRow: (record) => ({
    id: record.id,
    name: record.name,
    name_key: lowerAscii(record.name),
    members: JSON.stringify(record.members),
    lead: record.lead,
    channel: record.channel,
    deleted: record.deleted,
    created_at: record.createdAt,
    updated_at: record.updatedAt,
    version: record.version,
  }),
  fromRow: (row) => ({
    id: row.id,
    name: row.name,
    members: JSON.parse(row.members) as string[],
    lead: row.lead ?? undefined,
    channel: row.channel ?? undefined,
    deleted: row.deleted === 1,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  }),
});

const selectByName = statement(
  'teams_by_name',
  `SELECT ${teams.columns} FROM teams WHERE name_key = $1 AND deleted = 0`,
);
const forgetPeople = statement('team_people_delete', 'DELETE FROM team_people WHERE team_id = $1');
const insertPerson = statement(
  'team_people_insert',
  'INSERT INTO team_people (person_key, team_id) VALUES ($1, $2)',
);

async function writePeople(tx: Transaction, record: TeamRecord): Promise<void> {
  await tx.run(forgetPeople, [record.id]);
  if (record.deleted) return;
  const named = record.lead === undefined ? record.members : [...record.members, record.lead];
  for (const key of new Set(named.map(lowerAscii))) await tx.run(insertPerson, [key, record.id]);
}

export function teamStore(session: Session): TeamStore {
  return {
    insert: (record) =>
      session.write(async (tx) => {
        await teams.insert(tx, record);
        await writePeople(tx, record);
      }),
    replace: (record) =>
      session.write(async (tx) => {
        await teams.replace(tx, record);
        await writePeople(tx, record);
      }),
    byId: (id) => teams.byId(session, id),
    byName: async (name) => (await teams.select(session, selectByName, [lowerAscii(name)]))[0],
    list: async (filter, page) => {
      const where = conditions();
      where.equals('deleted', false);
      if (filter.person !== undefined) {
        const key = where.param(lowerAscii(filter.person));
        where.add(`id IN (SELECT team_id FROM team_people WHERE person_key = ${key})`);
      }
      where.contains(['name'], filter.text);
      return await teams.list(session, where, page);
    },
  };
}
