import type { PolicyExceptionRecord, PolicyExceptionStore } from '../storage/policy-exceptions.ts';
import { type Session, statement } from './database.ts';
import { conditions } from './list.ts';
import { type VersionedTable, versionedTable } from './versioned.ts';

interface ExceptionRow {
  id: string;
  policy_id: string;
  identity_id: string;
  reason: string;
  approved_by: string;
  expires_at: number;
  state: string;
  created_at: number;
  updated_at: number;
  version: number;
}

const exceptions: VersionedTable<PolicyExceptionRecord> = versionedTable<PolicyExceptionRecord, ExceptionRow>(
  {
    table: 'policy_exceptions',
    history: 'policy_exception_history',
    columns: [
      'id',
      'policy_id',
      'identity_id',
      'reason',
      'approved_by',
      'expires_at',
      'state',
      'created_at',
      'updated_at',
      'version',
    ],
    fixed: ['policy_id', 'identity_id', 'created_at'],
    toRow: (record) => ({
      id: record.id,
      policy_id: record.policyId,
      identity_id: record.identityId,
      reason: record.reason,
      approved_by: record.approvedBy,
      expires_at: record.expiresAt,
      state: record.state,
      created_at: record.createdAt,
      updated_at: record.updatedAt,
      version: record.version,
    }),
    fromRow: (row) => ({
      id: row.id,
      policyId: row.policy_id,
      identityId: row.identity_id,
      reason: row.reason,
      approvedBy: row.approved_by,
      expiresAt: row.expires_at,
      state: row.state as PolicyExceptionRecord['state'],
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      version: row.version,
    }),
  },
);

/** Without the hint SQLite reads every active exception there is, because the index of the list has the order. */
const selectOfIdentity = (hint: string): string =>
  `SELECT ${exceptions.columns} FROM policy_exceptions ${hint}
   WHERE identity_id = $1 AND state = 'active' ORDER BY created_at, id LIMIT 1000`;
const ofIdentity = statement('policy_exceptions_of_identity', {
  sqlite: selectOfIdentity('INDEXED BY policy_exceptions_policy_identity'),
  postgres: selectOfIdentity(''),
});
const ofIdentityAsOf = statement(
  'policy_exceptions_of_identity_as_of',
  `SELECT ${exceptions.columns} FROM policy_exception_history
   WHERE identity_id = $1 AND state = 'active' AND created_at <= $2 AND valid_from <= $2 AND valid_to > $2
   ORDER BY created_at, id LIMIT 1000`,
);

export function policyExceptionStore(session: Session): PolicyExceptionStore {
  return {
    insert: (record) =>
      session.write(async (tx) => {
        await exceptions.insert(tx, record);
        tx.changed({ kind: 'identity', identityId: record.identityId });
      }),
    replace: (record) =>
      session.write(async (tx) => {
        await exceptions.replace(tx, record);
        tx.changed({ kind: 'identity', identityId: record.identityId });
      }),
    byId: (id) => exceptions.byId(session, id),
    ofIdentity: (identityId) => exceptions.select(session, ofIdentity, [identityId]),
    ofIdentityAsOf: (identityId, at) => exceptions.select(session, ofIdentityAsOf, [identityId, at]),
    list: async ({ policyId, identityId }, page) => {
      const where = conditions();
      where.equals('state', 'active');
      where.equals('policy_id', policyId);
      where.equals('identity_id', identityId);
      return await exceptions.list(session, where, page);
    },
  };
}
