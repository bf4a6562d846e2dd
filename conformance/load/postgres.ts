import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { TestContext } from 'vitest';

interface PgModule {
  readonly Client: new (options: {
    connectionString: string;
  }) => {
    connect(): Promise<void>;
    query(sql: string): Promise<unknown>;
    end(): Promise<void>;
  };
}

/** An empty database on the server of COUNTERSIGN_TEST_POSTGRES for one test, and how to drop it. */
export interface ScratchDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** Makes a database for one test. Skips the test where no server is named, and fails it under COUNTERSIGN_REQUIRE=all. */
export async function scratchDatabase(context: TestContext): Promise<ScratchDatabase> {
  const server = process.env['COUNTERSIGN_TEST_POSTGRES'];
  if (server === undefined || server === '') {
    if (process.env['COUNTERSIGN_REQUIRE'] === 'all') throw new Error('COUNTERSIGN_TEST_POSTGRES is not set');
    return context.skip('PostgreSQL: COUNTERSIGN_TEST_POSTGRES is not set');
  }
  const pg = createRequire(fileURLToPath(new URL('../../packages/server/package.json', import.meta.url)))(
    'pg',
  ) as PgModule;
  const run = async (sql: string): Promise<void> => {
    const client = new pg.Client({ connectionString: server });
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  };
  const name = `countersign_conformance_${randomBytes(6).toString('hex')}`;
  await run(`CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => run(`DROP DATABASE ${name} WITH (FORCE)`) };
}
