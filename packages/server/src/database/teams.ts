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
const THERE = "deleted = 0 AND status <> 'left'";
/** Owner and backup are one where they are the same person. */
const countOwnership = statement(
  'teams_ownership',
  `SELECT count(*) AS identities, sum(CASE WHEN owners = 1 THEN 1 ELSE 0 END) AS one_living,
     sum(CASE WHEN owners = 0 THEN 1 ELSE 0 END) AS none_living
   FROM (
     SELECT (CASE WHEN EXISTS (SELECT 1 FROM people WHERE handle_key = lower(i.owner_person) AND ${THERE})
         THEN 1 ELSE 0 END)
       + (CASE WHEN lower(i.owner_backup) <> lower(i.owner_person) AND (
           EXISTS (SELECT 1 FROM people WHERE handle_key = lower(i.owner_backup) AND ${THERE})
           OR EXISTS (SELECT 1 FROM teams t JOIN team_people m ON m.team_id = t.id
             JOIN people p ON p.handle_key = m.person_key AND p.deleted = 0 AND p.status <> 'left'
             WHERE t.name_key = lower(i.owner_backup) AND t.deleted = 0 AND m.person_key <> lower(i.owner_person)))
         THEN 1 ELSE 0 END) AS owners
     FROM identities i
     WHERE lower(i.owner_team) = $1 AND i.state NOT IN ('decommissioned', 'rejected', 'lapsed')) AS counted`,
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
    ownership: async (name) => {
      const [row] = await session.query<Record<'identities' | 'one_living' | 'none_living', number | null>>(
        countOwnership,
        [lowerAscii(name)],
      );
      return {
        identities: Number(row?.identities ?? 0),
        oneLiving: Number(row?.one_living ?? 0),
        noneLiving: Number(row?.none_living ?? 0),
      };
    },
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
