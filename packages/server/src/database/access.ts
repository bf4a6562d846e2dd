import type {
  AccessConditions,
  AccessFilter,
  AccessRecord,
  AccessState,
  AccessStore,
  HeldFilter,
} from '../storage/access.ts';
import type { Page, PageRequest } from '../storage/page.ts';
import { type Connection, type Session, type Transaction, statement } from './database.ts';
import {
  type Conditions,
  conditions,
  duePage,
  dueStatement,
  lowerAscii,
  pageOf,
  pageStatement,
} from './list.ts';
import { FOREVER, type VersionedTable, versionedTable } from './versioned.ts';

interface AccessRow {
  id: string;
  identity_id: string;
  resource_server_id: string;
  /** JSON: an array of names. */
  scopes: string;
  justification: string;
  state: string;
  requested_by: string;
  approved_by: string | null;
  approved_at: number | null;
  token_lifetime: number | null;
  /** JSON. */
  conditions: string | null;
  approval_id: string | null;
  expires_at: number;
  created_at: number;
  updated_at: number;
  version: number;
}

const COLUMNS = [
  'id',
  'identity_id',
  'resource_server_id',
  'scopes',
  'justification',
  'state',
  'requested_by',
  'approved_by',
  'approved_at',
  'token_lifetime',
  'conditions',
  'approval_id',
  'expires_at',
  'created_at',
  'updated_at',
  'version',
] as const;

const accesses: VersionedTable<AccessRecord> = versionedTable<AccessRecord, AccessRow>({
  table: 'access',
  history: 'access_history',
  columns: COLUMNS,
  fixed: ['identity_id', 'resource_server_id', 'created_at'],
  toRow: (record) => ({
    id: record.id,
    identity_id: record.identityId,
    resource_server_id: record.resourceServerId,
    scopes: JSON.stringify(record.scopes),
    justification: record.justification,
    state: record.state,
    requested_by: record.requestedBy,
    approved_by: record.approvedBy,
    approved_at: record.approvedAt,
    token_lifetime: record.tokenLifetime,
    conditions: record.conditions && JSON.stringify(record.conditions),
    approval_id: record.approvalId,
    expires_at: record.expiresAt,
    created_at: record.createdAt,
    updated_at: record.updatedAt,
    version: record.version,
  }),
  fromRow,
});

function fromRow(row: AccessRow): AccessRecord {
  return {
    id: row.id,
    identityId: row.identity_id,
    resourceServerId: row.resource_server_id,
    scopes: JSON.parse(row.scopes) as string[],
    justification: row.justification,
    state: row.state as AccessState,
    requestedBy: row.requested_by,
    approvedBy: row.approved_by ?? undefined,
    approvedAt: row.approved_at ?? undefined,
    tokenLifetime: row.token_lifetime ?? undefined,
    conditions: row.conditions === null ? undefined : (JSON.parse(row.conditions) as AccessConditions),
    approvalId: row.approval_id ?? undefined,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  };
}

/**
 * One row for each scope of each version of an access: the index behind "who has, or had, this scope". What the version
 * says of its time is in it too, so that the many that no longer hold are passed over without being looked up.
 */
const insertScope = statement(
  'access_scopes_insert',
  `INSERT INTO access_scopes (scope, created_at, access_id, version, resource_server_id, valid_from, valid_to, state,
     expires_at)
   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
);
const endScope = statement(
  'access_scopes_end',
  `UPDATE access_scopes SET valid_to = $5
   WHERE scope = $1 AND created_at = $2 AND access_id = $3 AND version = $4`,
);
/** The versions that a new one ends: see versioned.ts. */
const selectEnded = statement(
  'access_history_ended',
  'SELECT version, scopes FROM access_history WHERE id = $1 AND valid_to > $2',
);
/** Without the hint SQLite reads every active access there is, because the index on states has the order. */
const activeOfIdentity = (hint: string): string =>
  `SELECT ${accesses.columns} FROM access ${hint} WHERE identity_id = $1 AND state = 'active'
   ORDER BY created_at, id LIMIT 1000`;
const selectActive = statement('access_active_of_identity', {
  sqlite: activeOfIdentity('INDEXED BY access_identity'),
  postgres: activeOfIdentity(''),
});

const selectHistory = statement(
  'access_history_of_pair',
  `SELECT ${accesses.columns} FROM access_history WHERE identity_id = $1 AND resource_server_id = $2
   ORDER BY created_at DESC, id DESC, version DESC LIMIT 1000`,
);

async function keepScopes(tx: Transaction, record: AccessRecord): Promise<void> {
  for (const scope of new Set(record.scopes)) {
    await tx.run(insertScope, [
      scope,
      record.createdAt,
      record.id,
      record.version,
      record.resourceServerId,
      record.updatedAt,
      FOREVER,
      record.state,
      record.expiresAt,
    ]);
  }
}

async function endScopes(tx: Transaction, { id, createdAt, updatedAt }: AccessRecord): Promise<void> {
  const ended = await tx.query<{ version: number; scopes: string }>(selectEnded, [id, updatedAt]);
  for (const { version, scopes } of ended) {
    for (const scope of new Set(JSON.parse(scopes) as string[])) {
      await tx.run(endScope, [scope, createdAt, id, version, updatedAt]);
    }
  }
}

/** What the identity of an access has to be, behind another condition. */
function identityText(where: Conditions, filter: NonNullable<AccessFilter['identity']>): string {
  const { environments, kinds, ownerPerson, ownerTeam } = filter;
  const oneOf = (column: string, values: readonly string[] | undefined): string =>
    values === undefined ? '' : ` AND ${column} IN (${values.map((each) => where.param(each)).join(', ')})`;
  const named = (column: string, name: string | undefined): string =>
    name === undefined ? '' : ` AND ${column} = ${where.param(lowerAscii(name))}`;
  return [
    oneOf('i.environment', environments),
    oneOf('i.kind', kinds),
    named('lower(i.owner_person)', ownerPerson),
    named('lower(i.owner_team)', ownerTeam),
  ].join('');
}

/** A page of who held a scope at an instant: along the index that holds all that decides it, in the page's own order. */
async function heldAt(
  connection: Connection,
  { resourceServerId, scope }: HeldFilter,
  at: number,
  page: PageRequest,
): Promise<Page<AccessRecord>> {
  const where = conditions();
  where.equals('s.resource_server_id', resourceServerId);
  where.equals('s.scope', scope);
  where.equals('s.state', 'active');
  const instant = where.param(at);
  where.add(`s.created_at <= ${instant} AND s.valid_from <= ${instant} AND s.valid_to > ${instant}`);
  where.add(`s.expires_at > ${instant}`);
  const list = COLUMNS.map((column) => `a.${column}`).join(', ');
  const text = pageStatement(
    `SELECT ${list} FROM access_scopes s JOIN access_history a ON a.id = s.access_id AND a.version = s.version`,
    where,
    { createdAt: 's.created_at', id: 's.access_id' },
    page,
  );
  return pageOf(await accesses.select(connection, text, where.params), page.limit);
}

/**
 * A page of `table`: `access` now, its history at an instant. A scope leads the search, in the page's own order, unless an
 * identity is given: that one has few access records of its own.
 */
async function pageFrom(
  connection: Connection,
  table: 'access' | 'access_history',
  filter: AccessFilter,
  page: PageRequest,
  at?: number,
): Promise<Page<AccessRecord>> {
  const where = conditions();
  where.equals('a.identity_id', filter.identityId);
  where.equals('a.state', filter.state);
  if (filter.identity !== undefined) {
    where.add(
      `EXISTS (SELECT 1 FROM identities i WHERE i.id = a.identity_id${identityText(where, filter.identity)})`,
    );
  }
  let from = `${table} a`;
  let key = { createdAt: 'a.created_at', id: 'a.id' };
  /** Where the versions' times are read. */
  let times = 'a';
  if (filter.scope !== undefined && filter.identityId === undefined) {
    from = `access_scopes s JOIN ${table} a ON a.id = s.access_id AND a.version = s.version`;
    key = { createdAt: 's.created_at', id: 's.access_id' };
    times = 's';
    where.equals('s.scope', filter.scope);
    where.equals('s.resource_server_id', filter.resourceServerId);
    // Versions that are over are passed over in the index.
    if (at === undefined) where.add(`s.valid_to = ${FOREVER}`);
  } else {
    where.equals('a.resource_server_id', filter.resourceServerId);
    if (filter.scope !== undefined) {
      where.add(`EXISTS (SELECT 1 FROM access_scopes s WHERE s.scope = ${where.param(filter.scope)}
        AND s.created_at = a.created_at AND s.access_id = a.id AND s.version = a.version)`);
    }
  }
  const used = (since: number): string => {
    const scope = filter.scope === undefined ? '' : ` AND u.scope = ${where.param(filter.scope)}`;
    return `EXISTS (SELECT 1 FROM usage u WHERE u.access_id = a.id AND u.last_ok_at >= ${where.param(since)}${scope})`;
  };
  if (filter.usedSince !== undefined) where.add(used(filter.usedSince));
  if (filter.notUsedSince !== undefined) where.add(`NOT ${used(filter.notUsedSince)}`);
  if (filter.endsBefore !== undefined) {
    where.add(`a.expires_at <= ${where.param(filter.endsBefore)}`);
    where.add(`a.expires_at > ${where.param(filter.endsAfter ?? 0)}`);
    key = { createdAt: 'a.expires_at', id: 'a.id' };
  }
  if (at !== undefined) {
    const instant = where.param(at);
    // The first of the three follows from the others where clocks are right; it bounds how far the index is read.
    where.add(
      `${key.createdAt} <= ${instant} AND ${times}.valid_from <= ${instant} AND ${times}.valid_to > ${instant}`,
    );
  }
  const list = COLUMNS.map((column) => `a.${column}`).join(', ');
  const text = pageStatement(`SELECT ${list} FROM ${from}`, where, key, page);
  const records = await accesses.select(connection, text, where.params);
  if (filter.endsBefore === undefined) return pageOf(records, page.limit);
  const byEnd = pageOf(
    records.map((record) => ({ id: record.id, createdAt: record.expiresAt, record })),
    page.limit,
  );
  return { ...byEnd, items: byEnd.items.map(({ record }) => record) };
}

const DUE = dueStatement('access', 'expires_at', "state IN ('requested', 'active', 'suspended')");

export function accessStore(session: Session): AccessStore {
  return {
    insert: (record) =>
      session.write(async (tx) => {
        await accesses.insert(tx, record);
        await keepScopes(tx, record);
        tx.changed({ kind: 'identity', identityId: record.identityId });
      }),
    replace: (record) =>
      session.write(async (tx) => {
        await endScopes(tx, record);
        await accesses.replace(tx, record);
        await keepScopes(tx, record);
        tx.changed({ kind: 'identity', identityId: record.identityId });
      }),
    hold: (record) => session.write((tx) => accesses.hold(tx, record)),
    byId: (id) => accesses.byId(session, id),
    byIds: (ids) => accesses.byIds(session, ids),
    asOf: (id, at) => accesses.asOf(session, id, at),
    activeOfIdentity: (identityId) => accesses.select(session, selectActive, [identityId]),
    list: (filter, page) => pageFrom(session, 'access', filter, page),
    listAsOf: (filter, at, page) => pageFrom(session, 'access_history', filter, page, at),
    heldAt: (filter, at, page) => heldAt(session, filter, at, page),
    historyOf: async (identityId, resourceServerId) =>
      (await accesses.select(session, selectHistory, [identityId, resourceServerId])).reverse(),
    due: (until, page) => duePage(session, DUE, until, page),
  };
}
