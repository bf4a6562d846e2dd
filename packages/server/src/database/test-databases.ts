import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

/** For tests: databases of their own on a PostgreSQL server that is given by its URL. */
export interface TestDatabases {
  /** Makes an empty database; gives its URL. */
  create(): Promise<string>;
  /** Runs a statement as the server's owner, in the database of the URL when one is given. */
  run(text: string, url?: string): Promise<Record<string, unknown>[]>;
  dropAll(): Promise<void>;
}

export function testDatabases(server: string): TestDatabases {
  const names: string[] = [];
  const run = async (text: string, url = server): Promise<Record<string, unknown>[]> => {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  };
  return {
    run,
    create: async () => {
      const name = `countersign_test_${randomBytes(6).toString('hex')}`;
      await run(`CREATE DATABASE ${name}`);
      names.push(name);
      const url = new URL(server);
      url.pathname = `/${name}`;
      return url.href;
    },
    dropAll: async () => {
      for (const name of names.splice(0)) await run(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}
