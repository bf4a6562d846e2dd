import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { describe, type TestContext } from 'vitest';

interface PgModule {
  readonly Client: new (options: {
    connectionString: string;
  }) => {
    connect(): Promise<void>;
    query(sql: string): Promise<{ readonly rows: readonly Record<string, unknown>[] }>;
    end(): Promise<void>;
  };
}

type PgClient = InstanceType<PgModule['Client']>;

/** An empty database on the server of COUNTERSIGN_TEST_POSTGRES for one test, and how to drop it. */
export interface ScratchDatabase {
  readonly url: string;
  /** Every row of every table as text, bytes in hex: what somebody holds who stole a dump. */
  dump(): Promise<string>;
  drop(): Promise<void>;
}

/**
 * Makes a database for one test. Where no server is named it skips the test, and fails it under COUNTERSIGN_REQUIRE=all or
 * without a context to skip.
 */
export async function scratchDatabase(context?: TestContext): Promise<ScratchDatabase> {
  const server = process.env['COUNTERSIGN_TEST_POSTGRES'];
  if (server === undefined || server === '') {
    if (context === undefined || process.env['COUNTERSIGN_REQUIRE'] === 'all')
      throw new Error('COUNTERSIGN_TEST_POSTGRES is not set');
    return context.skip('PostgreSQL: COUNTERSIGN_TEST_POSTGRES is not set');
  }
  const pg = createRequire(fileURLToPath(new URL('../../packages/server/package.json', import.meta.url)))(
    'pg',
  ) as PgModule;
  const connected = async <Result>(
    at: string,
    work: (client: PgClient) => Promise<Result>,
  ): Promise<Result> => {
    const client = new pg.Client({ connectionString: at });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };
  const run = (sql: string): Promise<unknown> => connected(server, (client) => client.query(sql));
  const name = `countersign_conformance_${randomBytes(6).toString('hex')}`;
  await run(`CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    dump: () => connected(url.href, dumpOf),
    drop: async () => {
      await run(`DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

async function dumpOf(client: PgClient): Promise<string> {
  const tables = await client.query(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`,
  );
  const texts: string[] = [];
  for (const { name } of tables.rows) {
    const { rows } = await client.query(`SELECT t::text AS row FROM ${String(name)} t`);
    texts.push(`${String(name)} ${rows.length}`, ...rows.map(({ row }) => String(row)));
  }
  return texts.join('\n');
}

/** Tests that share a database which they make before all of them; skipped where no server is named. */
export function describeOnPostgres(tests: () => void): void {
  const named = (process.env['COUNTERSIGN_TEST_POSTGRES'] ?? '') !== '';
  describe.runIf(named)('on PostgreSQL (needs COUNTERSIGN_TEST_POSTGRES)', () => {
    tests();
  });
}
