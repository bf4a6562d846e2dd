/**
 * Who had this scope at that instant, and who approved it: how long one call takes on an estate of 100,000 identities with
 * access to ten APIs each, one million access records. Also the lists and the explanation that people open. On the embedded
 * database, and on PostgreSQL where COUNTERSIGN_TEST_POSTGRES names a server (`node tools/test-services.mjs -- …`).
 */
import { rmSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { freshFolder, isBuilt, startAuthority } from './countersign.mjs';
import { table } from './machine.mjs';

const IDENTITIES = Number(process.env.AS_OF_IDENTITIES ?? 100_000);
const RESOURCE_SERVERS = 9;
const CALLS = 20;

/** @returns {Promise<(path: string) => Promise<any>>} GET under `/v1` as the administrator; throws on anything but 200 */
async function reader({ admin, token_endpoint }) {
  const answer = await fetch(token_endpoint, {
    method: 'POST',
    headers: {
      Authorization: `Basic ${Buffer.from(`${admin.client_id}:${admin.client_secret}`).toString('base64')}`,
    },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: admin.resource }),
  });
  const { access_token: token } = await answer.json();
  return async (path) => {
    const response = await fetch(`${admin.api}${path}`, { headers: { Authorization: `Bearer ${token}` } });
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    return await response.json();
  };
}

/** The calls with what their answers must have in them: a fast wrong answer is none. */
function questions({ resources: [first, second], before, left }) {
  const at = new Date(before).toISOString();
  const api = (identifier) => `resource_server=${encodeURIComponent(identifier)}`;
  const count = (n) => (body) => body.items.length === n;
  return [
    ['holders, everybody held it then', `/access/holders?${api(first)}&scope=write&at=${at}`, count(50)],
    [
      `holders, all but ${left} lost it since`,
      `/access/holders?${api(first)}&scope=write&limit=200`,
      (body) => body.items.length === left && body.items.every(({ approvals }) => approvals.length === 2),
    ],
    ['holders, nobody yet', `/access/holders?${api(first)}&scope=write&at=2020-01-01T00:00:00Z`, count(0)],
    ['list as of an instant', `/access?${api(first)}&scope=write&as_of=${at}`, count(50)],
    ['list by API and scope', `/access?${api(second)}&scope=read`, count(50)],
    ['list by identity', `/access?identity=estate-${IDENTITIES - 1}`, count(1 + RESOURCE_SERVERS)],
    ['list of what is expiring', '/access?state=expiring', count(0)],
    ['list by state', '/access?state=requested', count(0)],
    [
      'explain',
      `/access/explain?identity=estate-0&${api(first)}&scope=write`,
      (body) => body.allowed && body.approvals.length === 2,
    ],
  ];
}

async function measure(name, database, options, seedEstate) {
  const dataDir = freshFolder();
  let authority;
  try {
    options.say(`${name}: writing ${IDENTITIES.toLocaleString('en')} identities`);
    const where = database ?? `sqlite:${dataDir}/estate.db`;
    const began = performance.now();
    const { access } = await seedEstate({
      database: where,
      dataDir,
      identities: IDENTITIES,
      clients: 1,
      resourceServers: RESOURCE_SERVERS,
    });
    options.say(`${name}: written in ${((performance.now() - began) / 1000).toFixed(0)} s`);
    authority = await startAuthority({ dataDir, database: where, prefix: options.apart.server });
    const read = await reader(authority.ready);
    const rows = [];
    for (const [what, path, fits] of questions(access)) {
      const times = [];
      for (let call = 0; call < CALLS; call++) {
        const from = performance.now();
        const body = await read(path);
        times.push(performance.now() - from);
        if (!fits(body)) throw new Error(`${what}: ${JSON.stringify(body).slice(0, 500)}`);
      }
      const [coldest] = times;
      times.sort((a, b) => a - b);
      const quantile = (q) => times[Math.min(times.length - 1, Math.floor(times.length * q))].toFixed(1);
      rows.push([name, what, coldest.toFixed(1), quantile(0.5), quantile(0.95)]);
    }
    return rows;
  } finally {
    await authority?.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/**
 * @param {{apart: {server: string[], note: string}, say: (text: string) => void}} options
 * @returns {Promise<string | undefined>} Markdown
 */
export async function run(options) {
  if (!isBuilt()) return undefined;
  const { seedEstate } = await import('@countersign/server/bench-estate');
  const server = process.env.COUNTERSIGN_TEST_POSTGRES;
  const rows = [];
  if (process.env.AS_OF_ONLY !== 'postgres')
    rows.push(...(await measure('SQLite', undefined, options, seedEstate)));
  if (server !== undefined) rows.push(...(await measure('PostgreSQL', server, options, seedEstate)));
  else options.say('PostgreSQL is NOT in this run: COUNTERSIGN_TEST_POSTGRES names none');
  const records = (IDENTITIES * (RESOURCE_SERVERS + 1)).toLocaleString('en');
  return [
    `${IDENTITIES.toLocaleString('en')} identities, ${records} access records; each call ${CALLS} times, one after another, over HTTP, answers checked; ${options.apart.note}.`,
    table(['database', 'call', 'first ms', 'p50 ms', 'p95 ms'], rows),
  ].join('\n\n');
}
