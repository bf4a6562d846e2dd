import { StorageError } from '../storage/errors.ts';
import type { OwnershipClockRecord, OwnershipClockStore } from '../storage/ownership-clocks.ts';
import { type Session, type SqlParam, statement } from './database.ts';
import { lowerAscii } from './list.ts';

interface ClockRow {
  identity_id: string;
  person: string;
  backup: string | null;
  interim: string | null;
  started_at: number;
  taken: number;
  next_at: number;
  version: number;
}

const COLUMNS = 'identity_id, person, backup, interim, started_at, taken, next_at, version';
const insertClock = statement(
  'ownership_clocks_insert',
  `INSERT INTO ownership_clocks (${COLUMNS}, person_key) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
);
const replaceClock = statement(
  'ownership_clocks_replace',
  `UPDATE ownership_clocks SET person = $2, backup = $3, interim = $4, started_at = $5, taken = $6, next_at = $7,
     version = $8, person_key = $9 WHERE identity_id = $1 AND version = $10`,
);
const deleteClock = statement(
  'ownership_clocks_delete',
  'DELETE FROM ownership_clocks WHERE identity_id = $1 AND version = $2',
);
const selectByIdentity = statement(
  'ownership_clocks_by_identity',
  `SELECT ${COLUMNS} FROM ownership_clocks WHERE identity_id = $1`,
);
const selectDue = statement(
  'ownership_clocks_due',
  `SELECT ${COLUMNS} FROM ownership_clocks WHERE next_at <= $1 ORDER BY next_at, identity_id LIMIT $2`,
);
const selectByPerson = statement(
  'ownership_clocks_by_person',
  `SELECT ${COLUMNS} FROM ownership_clocks WHERE person_key = $1 AND identity_id > $2 ORDER BY identity_id LIMIT $3`,
);

function toRow(record: OwnershipClockRecord): SqlParam[] {
  return [
    record.identityId,
    record.person,
    record.backup,
    record.interim,
    record.startedAt,
    record.taken,
    record.nextAt,
    record.version,
    lowerAscii(record.person),
  ];
}

function fromRow(row: ClockRow): OwnershipClockRecord {
  return {
    identityId: row.identity_id,
    person: row.person,
    backup: row.backup ?? undefined,
    interim: row.interim ?? undefined,
    startedAt: row.started_at,
    taken: row.taken,
    nextAt: row.next_at,
    version: row.version,
  };
}

export function ownershipClockStore(session: Session): OwnershipClockStore {
  const read = async (text: typeof selectDue, params: SqlParam[]): Promise<OwnershipClockRecord[]> =>
    (await session.query<ClockRow>(text, params)).map(fromRow);
  return {
    insert: (record) =>
      session.write(async (tx) => {
        await tx.run(insertClock, toRow(record));
        tx.changed({ kind: 'identity', identityId: record.identityId });
      }),
    replace: (record) =>
      session.write(async (tx) => {
        const replaced = await tx.run(replaceClock, [...toRow(record), record.version - 1]);
        if (replaced === 0) throw new StorageError('version_conflict', 'ownership_clocks');
        tx.changed({ kind: 'identity', identityId: record.identityId });
      }),
    stop: (record) =>
      session.write(async (tx) => {
        const stopped = await tx.run(deleteClock, [record.identityId, record.version]);
        if (stopped === 0) throw new StorageError('version_conflict', 'ownership_clocks');
        tx.changed({ kind: 'identity', identityId: record.identityId });
      }),
    ofIdentity: async (identityId) => (await read(selectByIdentity, [identityId]))[0],
    due: (now, limit) => read(selectDue, [now, limit]),
    ofPerson: (handle, limit, after = '') => read(selectByPerson, [lowerAscii(handle), after, limit]),
  };
}
