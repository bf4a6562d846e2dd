import type {
  PolicyMatch,
  PolicyMode,
  PolicyRecord,
  PolicyRuleId,
  PolicyStore,
  PolicyTest,
} from '../storage/policies.ts';
import { type Session, statement } from './database.ts';
import { conditions } from './list.ts';
import { type VersionedTable, versionedTable } from './versioned.ts';

interface PolicyRow {
  id: string;
  name: string;
  rule: string;
  /** JSON. */
  parameters: string;
  mode: string;
  /** JSON. */
  matches: string;
  /** JSON. */
  tests: string;
  state: string;
  created_at: number;
  updated_at: number;
  version: number;
}

const policies: VersionedTable<PolicyRecord> = versionedTable<PolicyRecord, PolicyRow>({
  table: 'policies',
  history: 'policy_history',
  columns: [
    'id',
    'name',
    'rule',
    'parameters',
    'mode',
    'matches',
    'tests',
    'state',
    'created_at',
    'updated_at',
    'version',
  ],
  fixed: ['name', 'rule', 'created_at'],
  toRow: (record) => ({
    id: record.id,
    name: record.name,
    rule: record.rule,
    parameters: JSON.stringify(record.parameters),
    mode: record.mode,
    matches: JSON.stringify(record.match),
    tests: JSON.stringify(record.tests),
    state: record.state,
    created_at: record.createdAt,
    updated_at: record.updatedAt,
    version: record.version,
  }),
  fromRow: (row) => ({
    id: row.id,
    name: row.name,
    rule: row.rule as PolicyRuleId,
    parameters: JSON.parse(row.parameters) as Record<string, unknown>,
    mode: row.mode as PolicyMode,
    match: JSON.parse(row.matches) as PolicyMatch,
    tests: JSON.parse(row.tests) as PolicyTest[],
    state: row.state as PolicyRecord['state'],
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  }),
});

const selectByName = statement(
  'policies_by_name',
  `SELECT ${policies.columns} FROM policies WHERE name = $1 AND state = 'active'`,
);
const selectActive = statement(
  'policies_active',
  `SELECT ${policies.columns} FROM policies WHERE state = 'active' ORDER BY created_at, id LIMIT 1000`,
);
const selectActiveAsOf = statement(
  'policies_active_as_of',
  `SELECT ${policies.columns} FROM policy_history
   WHERE state = 'active' AND created_at <= $1 AND valid_from <= $1 AND valid_to > $1
   ORDER BY created_at, id LIMIT 1000`,
);
const LOCK = 'SELECT one FROM policy_lock';
const lockShared = statement('', { sqlite: LOCK, postgres: `${LOCK} FOR SHARE` });
const lockAlone = statement('', { sqlite: LOCK, postgres: `${LOCK} FOR UPDATE` });

export function policyStore(session: Session): PolicyStore {
  return {
    insert: (record) =>
      session.write(async (tx) => {
        await policies.insert(tx, record);
        tx.changed({ kind: 'policies' });
      }),
    replace: (record) =>
      session.write(async (tx) => {
        await policies.replace(tx, record);
        tx.changed({ kind: 'policies' });
      }),
    byId: (id) => policies.byId(session, id),
    asOf: (id, at) => policies.asOf(session, id, at),
    byName: async (name) => (await policies.select(session, selectByName, [name]))[0],
    active: () => policies.select(session, selectActive, []),
    activeAsOf: (at) => policies.select(session, selectActiveAsOf, [at]),
    list: async (page) => {
      const where = conditions();
      where.equals('state', 'active');
      return await policies.list(session, where, page);
    },
    lock: async (how) => {
      await session.query(how === 'shared' ? lockShared : lockAlone);
    },
  };
}
