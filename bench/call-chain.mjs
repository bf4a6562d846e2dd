/**
 * What a hop of a call chain costs: the token that an API was called with exchanged for one for the next API (RFC 8693), the call,
 * and the check at the other end; beside the same call without any token. And one request that becomes 30 calls.
 */
import { constants, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { authorityOf, CALLS, clientOf, resourceOf } from './call-chain-services.mjs';
import { awaitFrom, launch } from './contestant.mjs';
import { command, freshFolder, isBuilt, readWhole } from './countersign.mjs';
import { latencyTable, meanwhile, takeTurns, timed } from './latency.mjs';

const SERVICES = fileURLToPath(new URL('call-chain-services.mjs', import.meta.url));
const CALLER = 'assistant';
/** Calls of each kind in a round. */
const HOPS = 200;
const REQUESTS = 20;
/** Of a hop: after some 2,000 exchanges the authority's compiler is done, and an exchange takes it a third of the time of the first hundreds. */
const WARM_HOPS = 2000;

/**
 * @param {{rounds: number, say: (text: string) => void}} options
 * @returns {Promise<string | undefined>} Markdown
 */
export async function run(options) {
  if (!isBuilt()) {
    options.say('countersign is not built');
    return undefined;
  }
  const folder = freshFolder();
  const started = [];
  try {
    const { addresses, pids } = await startAll(folder, started);
    const authority = authorityOf(folder);
    const chain = { folder, authority, addresses, pids, ...options };
    const hops = await measureHops(chain);
    const requests = await measureRequests(chain);
    return report(hops, requests, options);
  } finally {
    for (const program of started) await program.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function startAll(folder, started) {
  const readyFile = join(folder, 'ready.json');
  writeFileSync(join(folder, 'bench.yaml'), declared());
  const dev = [command, 'dev', '--port', '0', '--data-dir', folder, '--apply', 'bench.yaml'];
  const authority = launch([process.execPath, ...dev, '--ready-file', readyFile], {
    cwd: folder,
  });
  started.push(authority);
  await awaitFrom(authority, () => readWhole(readyFile));
  const services = launch([process.execPath, SERVICES, folder]);
  started.push(services);
  const addresses = JSON.parse(await awaitFrom(services, () => /^\{.*\}$/m.exec(services.said())?.[0]));
  const pids = { caller: process.pid, APIs: services.child.pid, authority: readWhole(readyFile).pid };
  return { addresses, pids };
}

function declared() {
  const apis = Object.keys(CALLS);
  const callers = apis.filter((api) => CALLS[api].length > 0);
  const document = (kind, name, spec) => ({ apiVersion: 'countersign/v1', kind, metadata: { name }, spec });
  const owner = { person: 'bench@bench.example', team: 'bench' };
  const machine = { kind: 'service', environment: 'dev', purpose: 'The bench', owner, expires_in: '30d' };
  const access = (identity, api, scopes) =>
    document('Access', `${identity} at ${api}`, {
      identity,
      resource_server: resourceOf(api),
      scopes,
      justification: 'The bench',
      expires_in: '30d',
    });
  return [
    ...apis.map((api) =>
      document('ResourceServer', api, {
        identifier: resourceOf(api),
        scopes: [`${api}:read`, 'tokens:exchange'].map((name) => ({ name, description: name })),
      }),
    ),
    ...[CALLER, ...callers].flatMap((name) => [
      document('Identity', name, machine),
      document('Credential', name, {
        identity: name,
        type: 'client_secret',
        secretFile: `${name}.secret`,
      }),
    ]),
    ...apis.map((api) => access(CALLER, api, [`${api}:read`])),
    ...callers.flatMap((api) => [
      access(api, api, ['tokens:exchange']),
      ...CALLS[api].map((next) => access(api, next, [`${next}:read`])),
    ]),
  ]
    .map((each) => JSON.stringify(each))
    .join('\n---\n');
}

/** Tokens of the caller for an API: a client keeps one, so each comes from a client of its own. */
async function tokensFor({ folder, authority, say }, api, count) {
  say(`getting ${count} tokens`);
  const tokens = [];
  for (let at = 0; at < count; at++) {
    const client = clientOf(folder, authority, CALLER);
    tokens.push((await client.token({ resource: resourceOf(api) })).accessToken);
    await client.close();
  }
  return tokens;
}

/** orders calls ledger, one call at a time. */
async function measureHops(chain) {
  const { folder, authority, addresses, pids, rounds, say } = chain;
  const fresh = await tokensFor(chain, 'orders', HOPS * rounds + WARM_HOPS + 1);
  const kept = fresh.at(-1);
  const resource = resourceOf('ledger');
  const orders = clientOf(folder, authority, 'orders');
  const call = (subjectToken) => orders.fetch(addresses.ledger, {}, { resource, subjectToken });
  const disk = await openDurable(join(folder, 'durable'));
  const kinds = {
    'no tokens': () => timed(() => fetch(`${addresses.ledger}/plain`)),
    'exchanged token kept': () => timed(() => call(kept)),
    'exchanged anew': () => timed(() => call(fresh.pop())),
    'a durable write': disk.write,
  };
  const taken = await takeTurns(kinds, { rounds, each: HOPS, warmUp: WARM_HOPS, pids, say });
  await orders.close();
  await disk.close();
  return taken;
}

/** What an audit record costs on this disk and at this moment, and nothing else: 500 bytes into room that is laid out. */
async function openDurable(path) {
  const room = 1 << 20;
  const record = Buffer.alloc(500, 'x');
  const file = await open(path, constants.O_CREAT | constants.O_RDWR | (constants.O_DSYNC ?? 0));
  await file.write(Buffer.alloc(room));
  let at = 0;
  const write = async () => {
    const began = performance.now();
    await file.write(record, 0, record.length, at);
    if (constants.O_DSYNC === undefined) await file.datasync();
    const took = performance.now() - began;
    at = (at + record.length) % (room - record.length);
    return took;
  };
  return { write, close: () => file.close() };
}

/** The caller asks the shop, and 30 calls come of it. */
async function measureRequests(chain) {
  const { folder, authority, addresses, pids, rounds, say } = chain;
  const fresh = await tokensFor(chain, 'shop', REQUESTS * (rounds + 1));
  const { shop } = addresses;
  const caller = clientOf(folder, authority, CALLER);
  const kinds = {
    'no tokens': () => timed(() => fetch(`${shop}/plain`)),
    'exchanged tokens kept': () => timed(() => caller.fetch(shop, {}, { resource: resourceOf('shop') })),
    '30 exchanged anew': () =>
      timed(() => fetch(shop, { headers: { authorization: `Bearer ${fresh.pop()}` } })),
  };
  const taken = await takeTurns(kinds, { rounds, each: REQUESTS, warmUp: REQUESTS, pids, say });
  await caller.close();
  return taken;
}

function report(hops, requests, { rounds }) {
  const [, kept, anew, disk] = hops;
  const [, allKept, allAnew] = requests;
  const aCall = ({ addedP99 }) => (addedP99 / 30).toFixed(2);
  const added = ({ addedP99 }) => `**${addedP99.toFixed(2)} ms** at p99; wanted: under 5`;
  return [
    `${rounds} interleaved rounds of ${HOPS} hops and of ${REQUESTS} requests of each kind, one at a time; medians over the rounds; the authority over TLS; caller, APIs and authority on the same processors. ${meanwhile()}.`,
    latencyTable('one hop', hops.slice(0, 3)),
    latencyTable('one request that becomes 30 calls', requests),
    [
      `- the example, all 30 exchanged anew: ${aCall(allAnew)} ms more at p99 for each of its calls (${aCall(allKept)} kept); up to 25 of them run at once, so this is no hop's latency`,
      `- a hop whose token is kept adds ${added(kept)}`,
      `- a hop with an exchange adds ${added(anew)}`,
      `- of it the durable write, in the same rounds and alone: ${disk.p50.toFixed(2)} ms at p50, ${disk.p99.toFixed(2)} ms at p99`,
    ].join('\n'),
  ].join('\n\n');
}
