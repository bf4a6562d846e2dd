import type {
  Cadence,
  DecommissionPlan,
  Environment,
  IdentityKind,
  IdentityRecord,
  IdentityState,
  IdentityStore,
} from '../storage/identities.ts';
import { type Session, statement } from './database.ts';
import { conditions, duePage, dueStatement, lowerAscii } from './list.ts';
import { type VersionedTable, versionedTable } from './versioned.ts';

interface IdentityRow {
  id: string;
  client_id: string;
  name: string;
  kind: string;
  environment: string;
  purpose: string;
  owner_person: string;
  owner_backup: string | null;
  owner_team: string | null;
  sensitivity: number;
  cadence: string;
  state: string;
  state_reason: string | null;
  state_since: number;
  activation: string | null;
  /** JSON. */
  decommissioning: string | null;
  /** `nextAt` of it, taken out for its index. */
  plan_at: number | null;
  security_stop: number;
  built_in: number;
  expires_at: number;
  created_at: number;
  updated_at: number;
  version: number;
}

const identities: VersionedTable<IdentityRecord> = versionedTable<IdentityRecord, IdentityRow>({
  table: 'identities',
  history: 'identity_history',
  columns: [
    'id',
    'client_id',
    'name',
    'kind',
    'environment',
    'purpose',
    'owner_person',
    'owner_backup',
    'owner_team',
    'sensitivity',
    'cadence',
    'state',
    'state_reason',
    'state_since',
    'activation',
    'decommissioning',
    'plan_at',
    'security_stop',
    'built_in',
    'expires_at',
    'created_at',
    'updated_at',
    'version',
  ],
  fixed: ['client_id', 'created_at'],
  toRow: (record) => ({
    id: record.id,
    client_id: record.clientId,
    name: record.name,
    kind: record.kind,
    environment: record.environment,
    purpose: record.purpose,
    owner_person: record.owner.person,
    owner_backup: record.owner.backup,
    owner_team: record.owner.team,
    sensitivity: record.sensitivity,
    cadence: record.cadence,
    state: record.state,
    state_reason: record.stateReason,
    state_since: record.stateSince,
    activation: record.activation,
    decommissioning: record.decommissioning && JSON.stringify(record.decommissioning),
    plan_at: record.decommissioning?.nextAt,
    security_stop: record.securityStop,
    built_in: record.builtIn,
    expires_at: record.expiresAt,
    created_at: record.createdAt,
    updated_at: record.updatedAt,
    version: record.version,
  }),
  fromRow: (row) => ({
    id: row.id,
    clientId: row.client_id,
    name: row.name,
    kind: row.kind as IdentityKind,
    environment: row.environment as Environment,
    purpose: row.purpose,
    owner: {
      person: row.owner_person,
      backup: row.owner_backup ?? undefined,
      team: row.owner_team ?? undefined,
    },
    sensitivity: row.sensitivity,
    cadence: row.cadence as Cadence,
    state: row.state as IdentityState,
    stateReason: row.state_reason ?? undefined,
    stateSince: row.state_since,
    ...(row.activation === null ? {} : { activation: row.activation as 'first_proof' }),
    ...(row.decommissioning === null
      ? {}
      : { decommissioning: JSON.parse(row.decommissioning) as DecommissionPlan }),
    securityStop: row.security_stop === 1,
    builtIn: row.built_in === 1,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  }),
});

const selectByClientId = statement(
  'identities_by_client_id',
  `SELECT ${identities.columns} FROM identities WHERE client_id = $1`,
);

const selectAlike = statement(
  'identities_alike',
  `SELECT id, client_id FROM identities WHERE lower(owner_person) = $1 AND purpose = $2 AND environment = $3
     AND state IN ('active', 'suspended') ORDER BY created_at, id LIMIT $4`,
);

const selectOwners = statement(
  'identities_owners',
  `SELECT lower(owner_person) AS owner FROM identities WHERE lower(owner_person) > $1
   GROUP BY lower(owner_person) ORDER BY 1 LIMIT $2`,
);

const DUE_BY = { expiresAt: 'expires_at', stateSince: 'state_since', plan: 'plan_at' } as const;

export function identityStore(session: Session): IdentityStore {
  return {
    alike: async ({ owner, purpose, environment }, limit) => {
      const params = [lowerAscii(owner.person), purpose, environment, limit];
      const rows = await session.query<Pick<IdentityRow, 'id' | 'client_id'>>(selectAlike, params);
      return rows.map((row) => ({ id: row.id, clientId: row.client_id }));
    },
    insert: (record) =>
      session.write(async (tx) => {
        await identities.insert(tx, record);
        tx.changed({ kind: 'identity', identityId: record.id, clientId: record.clientId });
      }),
    replace: (record) =>
      session.write(async (tx) => {
        await identities.replace(tx, record);
        tx.changed({ kind: 'identity', identityId: record.id });
      }),
    byId: (id) => identities.byId(session, id),
    owners: async (after, limit) =>
      (await session.query<{ owner: string }>(selectOwners, [after, limit])).map(({ owner }) => owner),
    byClientId: async (clientId) => (await identities.select(session, selectByClientId, [clientId]))[0],
    list: async (filter, page) => {
      const where = conditions();
      where.equals('state', filter.state);
      where.equals('kind', filter.kind);
      where.equals('environment', filter.environment);
      where.equals('lower(owner_person)', filter.ownerPerson && lowerAscii(filter.ownerPerson));
      where.equals('lower(owner_backup)', filter.ownerBackup && lowerAscii(filter.ownerBackup));
      where.equals('lower(owner_team)', filter.ownerTeam && lowerAscii(filter.ownerTeam));
      where.contains(['name', 'client_id'], filter.text);
      return await identities.list(session, where, page);
    },
    byIds: (ids) => identities.byIds(session, ids),
    asOf: (id, at) => identities.asOf(session, id, at),
    allAsOf: async (ids, at) => {
      if (ids.length === 0) return [];
      const where = conditions();
      where.add(`id IN (${ids.map((id) => where.param(id)).join(', ')})`);
      const instant = where.param(at);
      where.add(`created_at <= ${instant} AND valid_from <= ${instant} AND valid_to > ${instant}`);
      const text = statement('', `SELECT ${identities.columns} FROM identity_history ${where.text()}`);
      return await identities.select(session, text, where.params);
    },
    // The state stands in the text: it is one of ours, and its index is chosen by it.
    due: (state, by, until, page) =>
      duePage(session, dueStatement('identities', DUE_BY[by], `state = '${state}'`), until, page),
  };
}
