/**
 * What time costs: the sweeps of a day over a large estate, on the embedded database and on PostgreSQL, with nothing due, with
 * one in a hundred due, and with everything due at once.
 */
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { freshFolder, isBuilt } from './countersign.mjs';
import { table } from './machine.mjs';

const SETTINGS = { identities: 100_000, due: 1000, backlogSeconds: 60 };

/** @param {{say: (text: string) => void}} options @returns {Promise<string | undefined>} Markdown */
export async function run(options) {
  if (!isBuilt()) return undefined;
  const { measureSweeps } = await import('@countersign/server/bench-sweep');
  const rows = [];
  for (const [name, database] of await databases(options)) {
    const dataDir = freshFolder();
    try {
      options.say(`${SETTINGS.identities.toLocaleString('en')} identities on ${name}`);
      const took = await measureSweeps({
        dataDir,
        database: database(dataDir),
        ...SETTINGS,
      });
      const { identities, seconds } = took.backlog;
      rows.push([
        name,
        took.looked.toFixed(1),
        took.daily.toFixed(1),
        identities.toLocaleString('en'),
        seconds.toFixed(0),
        Math.round(identities / seconds).toLocaleString('en'),
      ]);
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  }
  const [all, due] = [SETTINGS.identities, SETTINGS.due].map((number) => number.toLocaleString('en'));
  return [
    `${all} identities, each with a credential and an access. Due: ${due} identities, credentials and accesses that expire, and ${due} identities that are inactive.`,
    table(
      ['database', 'nothing due, s', 'a day, s', 'backlog: identities suspended', 'in s', 'each second'],
      rows,
    ),
    `- wanted: a day under 60 s. Of the backlog, all of it at once, at most ${SETTINGS.backlogSeconds} s are measured.`,
  ].join('\n\n');
}

/** An empty database each. */
async function databases(options) {
  const found = [['SQLite', (dataDir) => `sqlite:${dataDir}/registry.db`]];
  const server = process.env.COUNTERSIGN_TEST_POSTGRES;
  if (server === undefined) {
    options.say('PostgreSQL is NOT in this run: COUNTERSIGN_TEST_POSTGRES is not set');
    return found;
  }
  const { default: pg } = await import('pg');
  const name = `countersign_bench_${randomBytes(6).toString('hex')}`;
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  const url = new URL(server);
  url.pathname = `/${name}`;
  return [...found, ['PostgreSQL', () => url.href]];
}
