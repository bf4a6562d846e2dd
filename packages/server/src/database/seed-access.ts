import { Client } from 'pg';
import type { AccessRecord } from '../storage/access.ts';
import type { ResourceServerRecord } from '../storage/resource-servers.ts';
import type { Storage } from '../storage/storage.ts';
import { type SqlParam, type Statement, statement } from './database.ts';
import { connect, connectionConfig, execute } from './postgres-connection.ts';
import { sqliteConnection } from './sqlite-connection.ts';
import { loadSqlite } from './sqlite-driver.ts';
import { FOREVER } from './versioned.ts';

/** For benches: access of an estate to many APIs, with a past. In a few large statements, without rules and events. */
export interface AccessEstateOptions {
  /** Of the estate that is there already (seed-estate.ts). */
  readonly identities: number;
  /** Each identity gets access to each of them. */
  readonly resourceServers: number;
  /** Epoch ms of the estate. */
  readonly now: number;
}

export interface AccessEstate {
  /** Identifiers. Everybody holds `read` at each; at the first, `write` was held by everybody until it was taken from all but a few. */
  readonly resources: readonly string[];
  /** An instant at which everybody held `write` at the first. */
  readonly before: number;
  /** How many hold it still, each approved by two people. */
  readonly left: number;
}

const DAY = 86_400_000;
/** One in so many keeps `write`. */
const KEEPS = 5000;
/** Created so long before the estate's own access was. */
const OLD = 30 * DAY;

/** Where the estate is. */
export type EstateDatabase =
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'postgres'; readonly url: string };

type Run = (text: Statement, params?: readonly SqlParam[]) => Promise<unknown>;

/** @param open the storage of that database, once for each call; closed here */
export async function seedAccess(
  database: EstateDatabase,
  open: () => Promise<Storage>,
  options: AccessEstateOptions,
): Promise<AccessEstate> {
  const { identities, now } = options;
  const servers = Array.from({ length: options.resourceServers }, (_, n) => serverRecord(n, now - OLD));
  const first = servers[0] as ResourceServerRecord;
  await withStorage(open, async (storage) => {
    for (const server of servers) await storage.resourceServers.insert(server);
  });
  await inOne(database, async (run) => {
    for (const [n, { id }] of servers.entries()) {
      const scopes = n === 0 ? ['read', 'write'] : ['read'];
      await run(INSERT_ACCESS, [prefixOf(n), id, JSON.stringify(scopes), now - OLD, now + 300 * DAY]);
      await run(KEEP_HISTORY, [id, 1]);
      for (const scope of scopes) await run(KEEP_SCOPE, [id, scope, 1]);
    }
    await run(NARROW, [first.id, now - DAY]);
    await run(END_HISTORY, [first.id, now - DAY]);
    await run(END_SCOPES, [first.id, now - DAY]);
    await run(KEEP_HISTORY, [first.id, 2]);
    await run(KEEP_SCOPE, [first.id, 'read', 2]);
  });
  await withStorage(open, async (storage) => {
    for (let index = 0; index < identities; index += KEEPS) {
      const record = await storage.access.byId(`${prefixOf(0)}${String(index).padStart(12, '0')}`);
      if (record !== undefined) await approve(storage, record, now);
    }
  });
  return {
    resources: servers.map(({ identifier }) => identifier),
    before: now - 2 * DAY,
    left: Math.ceil(identities / KEEPS),
  };
}

const COLUMNS = `id, identity_id, resource_server_id, scopes, justification, state, requested_by, approved_by, approved_at,
  token_lifetime, conditions, approval_id, expires_at, created_at, updated_at, version`;
/** The number of an identity or access is what its id ends with. */
const NUMBER = 'CAST(substr(id, 13) AS BIGINT)';

const INSERT_ACCESS = statement(
  '',
  `INSERT INTO access (${COLUMNS})
   SELECT CAST($1 AS TEXT) || substr(id, 13), id, $2, $3, 'the bench', 'active', 'bench', 'bench', CAST($4 AS BIGINT),
     NULL, NULL, NULL, CAST($5 AS BIGINT), CAST($4 AS BIGINT) + ${NUMBER}, CAST($4 AS BIGINT) + ${NUMBER}, 1
   FROM identities WHERE client_id LIKE 'estate-%'`,
);
const KEEP_HISTORY = statement(
  '',
  `INSERT INTO access_history (${COLUMNS}, valid_from, valid_to)
   SELECT ${COLUMNS}, updated_at, ${FOREVER} FROM access WHERE resource_server_id = $1 AND version = $2`,
);
const KEEP_SCOPE = statement(
  '',
  `INSERT INTO access_scopes
     (scope, created_at, access_id, version, resource_server_id, valid_from, valid_to, state, expires_at)
   SELECT CAST($2 AS TEXT), created_at, id, version, resource_server_id, updated_at, ${FOREVER}, state, expires_at
   FROM access WHERE resource_server_id = $1 AND version = $3`,
);
const NARROW = statement(
  '',
  `UPDATE access SET scopes = '["read"]', version = 2, updated_at = $2
   WHERE resource_server_id = $1 AND ${NUMBER} % ${KEEPS} <> 0`,
);
const END_HISTORY = statement(
  '',
  `UPDATE access_history SET valid_to = $2 WHERE resource_server_id = $1 AND ${NUMBER} % ${KEEPS} <> 0`,
);
const END_SCOPES = statement(
  '',
  `UPDATE access_scopes SET valid_to = $2
   WHERE resource_server_id = $1 AND CAST(substr(access_id, 13) AS BIGINT) % ${KEEPS} <> 0`,
);
/** What the server of PostgreSQL does by itself after a while. */
const VACUUM = statement('', 'VACUUM ANALYZE');

/** On a connection of its own, while nobody else has the database open. */
async function inOne(database: EstateDatabase, work: (run: Run) => Promise<void>): Promise<void> {
  if (database.kind === 'sqlite') {
    const connection = sqliteConnection(await loadSqlite(), { path: database.path });
    const run: Run = async (text, params) => connection.run(text, params ?? []);
    try {
      await run(statement('', 'BEGIN'));
      await work(run);
      await run(statement('', 'COMMIT'));
    } finally {
      connection.close();
    }
    return;
  }
  const client = new Client(
    connectionConfig({ url: database.url, name: 'countersign bench', timeouts: false }),
  );
  await connect(client);
  try {
    await execute(client, statement('', 'BEGIN'));
    await work((text, params) => execute(client, text, params));
    await execute(client, statement('', 'COMMIT'));
    await execute(client, VACUUM);
  } finally {
    await client.end();
  }
}

async function withStorage(
  open: () => Promise<Storage>,
  work: (storage: Storage) => Promise<void>,
): Promise<void> {
  const storage = await open();
  try {
    await work(storage);
  } finally {
    await storage.close();
  }
}

function prefixOf(n: number): string {
  return `acs_api${String(n).padStart(4, '0')}n`;
}

async function approve(
  { access, approvals }: Pick<Storage, 'access' | 'approvals'>,
  record: AccessRecord,
  now: number,
): Promise<void> {
  const request = record.id.replace('acs_', 'arq_');
  await approvals.insert({
    id: request,
    subject: 'access',
    subjectId: record.id,
    op: 'change',
    identityId: record.identityId,
    resourceServerId: record.resourceServerId,
    content: {},
    contentHash: '0'.repeat(64),
    sensitivity: 3,
    requestedBy: 'bench',
    parties: [],
    state: 'approved',
    reason: undefined,
    expiresAt: now,
    decidedAt: now - DAY,
    createdAt: now - DAY,
    updatedAt: now - DAY,
    version: 2,
  });
  for (const handle of ['ann', 'bob']) {
    await approvals.decide({
      requestId: request,
      issuer: 'https://people.example',
      subject: handle,
      handle,
      email: undefined,
      roles: ['approver'],
      teams: [],
      decision: 'approve',
      comment: undefined,
      contentHash: '0'.repeat(64),
      at: now - DAY,
    });
  }
  const approved = { approvedBy: 'ann, bob', approvedAt: now - DAY, approvalId: request };
  await access.replace({ ...record, ...approved, updatedAt: now - DAY, version: 2 });
}

function serverRecord(n: number, at: number): ResourceServerRecord {
  const scope = (name: string, sensitivity: number) => ({ name, description: `${name} it`, sensitivity });
  return {
    id: `rsv_access${String(n).padStart(14, '0')}`,
    identifier: `https://api-${n}.estate.example`,
    name: `API ${n}`,
    scopes: [scope('read', 1), scope('write', 3)],
    token: { format: 'jwt', lifetime: undefined, signingAlg: 'ES256', typ: 'at+jwt' },
    senderConstraint: 'none',
    state: 'active',
    builtIn: false,
    createdAt: at,
    updatedAt: at,
    version: 1,
  };
}
