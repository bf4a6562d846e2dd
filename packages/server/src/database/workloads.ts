import type { WorkloadRecord, WorkloadStore } from '../storage/workloads.ts';
import { type Session, statement } from './database.ts';
import { conditions } from './list.ts';
import { type VersionedTable, versionedTable } from './versioned.ts';

interface WorkloadRow {
  id: string;
  agent_id: string;
  identity_id: string;
  /** JSON. */
  selectors: string;
  hint: string | null;
  state: string;
  expires_at: number;
  created_at: number;
  updated_at: number;
  version: number;
}

const workloads: VersionedTable<WorkloadRecord> = versionedTable<WorkloadRecord, WorkloadRow>({
  table: 'workloads',
  history: 'workload_history',
  columns: [
    'id',
    'agent_id',
    'identity_id',
    'selectors',
    'hint',
    'state',
    'expires_at',
    'created_at',
    'updated_at',
    'version',
  ],
  fixed: ['agent_id', 'identity_id', 'created_at'],
  toRow: (record) => ({
    id: record.id,
    agent_id: record.agentId,
    identity_id: record.identityId,
    selectors: JSON.stringify(record.selectors),
    hint: record.hint,
    state: record.state,
    expires_at: record.expiresAt,
    created_at: record.createdAt,
    updated_at: record.updatedAt,
    version: record.version,
  }),
  fromRow: (row) => ({
    id: row.id,
    agentId: row.agent_id,
    identityId: row.identity_id,
    selectors: JSON.parse(row.selectors) as string[],
    hint: row.hint ?? undefined,
    state: row.state as WorkloadRecord['state'],
    expiresAt: row.expires_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  }),
});

const selectOfAgent = statement(
  'workloads_of_agent',
  `SELECT ${workloads.columns} FROM workloads WHERE agent_id = $1 AND state <> 'deleted'
   ORDER BY created_at, id LIMIT $2`,
);

export function workloadStore(session: Session): WorkloadStore {
  return {
    insert: (record) => session.write((tx) => workloads.insert(tx, record)),
    replace: (record) => session.write((tx) => workloads.replace(tx, record)),
    byId: (id) => workloads.byId(session, id),
    ofAgent: (agentId, limit) => workloads.select(session, selectOfAgent, [agentId, limit]),
    list: async ({ agentId, identityId }, page) => {
      const where = conditions();
      where.equals('state', 'active');
      where.equals('agent_id', agentId);
      where.equals('identity_id', identityId);
      return await workloads.list(session, where, page);
    },
  };
}
