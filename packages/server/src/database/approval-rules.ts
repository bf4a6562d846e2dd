import type {
  ApprovalMatch,
  ApprovalRuleRecord,
  ApprovalRuleStore,
  ApprovalStep,
  ApprovalSubject,
} from '../storage/approval-rules.ts';
import { type Session, statement } from './database.ts';
import { conditions } from './list.ts';
import { type VersionedTable, versionedTable } from './versioned.ts';

interface RuleRow {
  id: string;
  name: string;
  subject: string;
  /** JSON. */
  matches: string;
  /** JSON. */
  steps: string;
  owner_may_approve: number;
  state: string;
  created_at: number;
  updated_at: number;
  version: number;
}

const rules: VersionedTable<ApprovalRuleRecord> = versionedTable<ApprovalRuleRecord, RuleRow>({
  table: 'approval_rules',
  history: 'approval_rule_history',
  columns: [
    'id',
    'name',
    'subject',
    'matches',
    'steps',
    'owner_may_approve',
    'state',
    'created_at',
    'updated_at',
    'version',
  ],
  fixed: ['name', 'subject', 'created_at'],
  toRow: (record) => ({
    id: record.id,
    name: record.name,
    subject: record.subject,
    matches: JSON.stringify(record.match),
    steps: JSON.stringify(record.steps),
    owner_may_approve: record.ownerMayApprove,
    state: record.state,
    created_at: record.createdAt,
    updated_at: record.updatedAt,
    version: record.version,
  }),
  fromRow: (row) => ({
    id: row.id,
    name: row.name,
    subject: row.subject as ApprovalSubject,
    match: JSON.parse(row.matches) as ApprovalMatch,
    steps: JSON.parse(row.steps) as ApprovalStep[],
    ownerMayApprove: row.owner_may_approve === 1,
    state: row.state as ApprovalRuleRecord['state'],
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  }),
});

const selectByName = statement(
  'approval_rules_by_name',
  `SELECT ${rules.columns} FROM approval_rules WHERE name = $1 AND state = 'active'`,
);
const selectActive = statement(
  'approval_rules_active',
  `SELECT ${rules.columns} FROM approval_rules WHERE state = 'active' ORDER BY created_at, id LIMIT 1000`,
);

export function approvalRuleStore(session: Session): ApprovalRuleStore {
  return {
    insert: (record) => session.write((tx) => rules.insert(tx, record)),
    replace: (record) => session.write((tx) => rules.replace(tx, record)),
    byId: (id) => rules.byId(session, id),
    byName: async (name) => (await rules.select(session, selectByName, [name]))[0],
    active: () => rules.select(session, selectActive, []),
    list: async (page) => {
      const where = conditions();
      where.equals('state', 'active');
      return await rules.list(session, where, page);
    },
  };
}
