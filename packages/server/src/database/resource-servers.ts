import type {
  ResourceServerRecord,
  ResourceServerStore,
  ScopeDefinition,
  SigningAlgorithm,
} from '../storage/resource-servers.ts';
import { type Session, statement } from './database.ts';
import { conditions } from './list.ts';
import { type VersionedTable, versionedTable } from './versioned.ts';

interface ResourceServerRow {
  id: string;
  identifier: string;
  name: string;
  /** JSON: an array of scope definitions. */
  scopes: string;
  token_format: string;
  token_lifetime: number | null;
  token_signing_alg: string;
  token_typ: string;
  token_status_list: number;
  sender_constraint: string;
  state: string;
  built_in: number;
  created_at: number;
  updated_at: number;
  version: number;
}

const resourceServers: VersionedTable<ResourceServerRecord> = versionedTable<
  ResourceServerRecord,
  ResourceServerRow
>({
  table: 'resource_servers',
  history: 'resource_server_history',
  columns: [
    'id',
    'identifier',
    'name',
    'scopes',
    'token_format',
    'token_lifetime',
    'token_signing_alg',
    'token_typ',
    'token_status_list',
    'sender_constraint',
    'state',
    'built_in',
    'created_at',
    'updated_at',
    'version',
  ],
  fixed: ['created_at'],
  toRow: (record) => ({
    id: record.id,
    identifier: record.identifier,
    name: record.name,
    scopes: JSON.stringify(record.scopes),
    token_format: record.token.format,
    token_lifetime: record.token.lifetime,
    token_signing_alg: record.token.signingAlg,
    token_typ: record.token.typ,
    token_status_list: record.token.statusList === true,
    sender_constraint: record.senderConstraint,
    state: record.state,
    built_in: record.builtIn,
    created_at: record.createdAt,
    updated_at: record.updatedAt,
    version: record.version,
  }),
  fromRow: (row) => ({
    id: row.id,
    identifier: row.identifier,
    name: row.name,
    scopes: JSON.parse(row.scopes) as ScopeDefinition[],
    token: {
      format: row.token_format as 'jwt' | 'opaque' | 'cwt',
      lifetime: row.token_lifetime ?? undefined,
      signingAlg: row.token_signing_alg as SigningAlgorithm,
      typ: row.token_typ as 'at+jwt' | 'JWT',
      ...(row.token_status_list === 1 ? { statusList: true } : {}),
    },
    senderConstraint: row.sender_constraint as 'none' | 'dpop' | 'mtls',
    state: row.state as 'active' | 'deleted',
    builtIn: row.built_in === 1,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  }),
});

const selectByIdentifier = statement(
  'resource_servers_by_identifier',
  `SELECT ${resourceServers.columns} FROM resource_servers WHERE identifier = $1 AND state = 'active'`,
);

/** No character of a scope's name is escaped in JSON (RFC 6749 §3.3), and no quotation mark within a description is not. */
const namingScope = (has: string): string =>
  `SELECT scopes FROM resource_server_history WHERE identifier = $1 AND ${has} > 0
   ORDER BY created_at DESC, version DESC LIMIT 1`;
const selectLastWithScope = statement('resource_servers_last_with_scope', {
  sqlite: namingScope('instr(scopes, $2)'),
  postgres: namingScope('strpos(scopes, $2)'),
});

export function resourceServerStore(session: Session): ResourceServerStore {
  return {
    insert: (record) =>
      session.write(async (tx) => {
        await resourceServers.insert(tx, record);
        tx.changed({ kind: 'resource_server', resourceServerId: record.id });
      }),
    replace: (record) =>
      session.write(async (tx) => {
        await resourceServers.replace(tx, record);
        tx.changed({ kind: 'resource_server', resourceServerId: record.id });
      }),
    byId: (id) => resourceServers.byId(session, id),
    byIdentifier: async (identifier) =>
      (await resourceServers.select(session, selectByIdentifier, [identifier]))[0],
    lastSensitivity: async (identifier, scope) => {
      const params = [identifier, `"name":"${scope}"`];
      const [row] = await session.query<Pick<ResourceServerRow, 'scopes'>>(selectLastWithScope, params);
      if (row === undefined) return undefined;
      const scopes = JSON.parse(row.scopes) as ScopeDefinition[];
      return scopes.find(({ name }) => name === scope)?.sensitivity;
    },
    list: async (filter, page) => {
      const where = conditions();
      where.equals('state', 'active');
      where.contains(['name', 'identifier'], filter.text);
      return await resourceServers.list(session, where, page);
    },
  };
}
