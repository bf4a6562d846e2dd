/**
 * What the MQTT gateway costs: messages per CPU-second at QoS 1, beside a plain TCP proxy before the same Mosquitto; CPU time is that of
 * the gateway and of the proxy alone. And the memory of connections at rest.
 */
import { spawn } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { awaitFrom, launch } from './contestant.mjs';
import { administrator, freshFolder, isBuilt, readWhole, startAuthority } from './countersign.mjs';
import { meanwhile } from './latency.mjs';
import { median, root, table } from './machine.mjs';
import { cpuMicroseconds, residentMegabytes } from './process-usage.mjs';

const GATEWAY = join(root, 'packages/mqtt/bin/countersign-mqtt.js');
const PROXY = fileURLToPath(new URL('peers/tcp-proxy.mjs', import.meta.url));
const LOAD = fileURLToPath(new URL('mqtt-load.mjs', import.meta.url));
const AUDIENCE = 'https://mqtt.bench.example';
const CONNECTIONS = 16;
const IDLE = 5000;
const ORDERS = 100;
const WANTED = { ratio: 0.6, idleMegabytes: 500, cutOffMs: 1000 };
const SCOPES = ['mqtt.pub:bench/{client}/#', 'mqtt.sub:bench/{client}/#'];
const KINDS = [
  { name: 'published, one unacknowledged on each connection', window: 1, deliver: false },
  { name: 'published, twenty unacknowledged', window: 20, deliver: false },
  { name: 'published and delivered back, twenty unacknowledged', window: 20, deliver: true },
];

/**
 * @param {{rounds: number, seconds: number, apart: {server: string[], load: string[], note: string}, say: (text: string) => void}} options
 * @returns {Promise<string | undefined>} Markdown
 */
export async function run({ rounds, seconds, apart, say }) {
  const mosquitto = mosquittoProgram();
  if (!isBuilt() || mosquitto === undefined) {
    say(mosquitto === undefined ? 'mosquitto is not on this machine' : 'countersign is not built');
    return undefined;
  }
  const folder = freshFolder();
  const started = [];
  try {
    const authority = await startAuthority({ dataDir: folder });
    started.push(authority);
    const post = await administrator(authority.ready);
    await registerBroker(post);
    const client = await sensor(post, 'bench-sensor');
    const broker = await startMosquitto(mosquitto, folder, apart.load, started);
    const gateway = await startGateway(folder, authority.ready.issuer, broker, apart.server, started);
    const proxy = await startProxy(broker, apart.server, started);
    const token = await tokenOf(authority.ready, client);
    const names = { clientId: client.client_id, prefix: `bench/${client.client_id}` };
    // Past the gateway nobody asks for either; the same names would throw each other off the broker.
    const past = { clientId: 'past', prefix: 'past' };
    const kinds = [];
    for (const kind of KINDS) {
      const contestants = [
        {
          ...(await openLoad(apart.load, { ...names, ...kind, port: gateway.port, token }, started)),
          pid: gateway.pid,
        },
        { ...(await openLoad(apart.load, { ...past, ...kind, port: proxy.port }, started)), pid: proxy.pid },
      ];
      kinds.push({ kind, ...(await interleave(contestants, { rounds, seconds, window: kind.window, say })) });
      for (const each of contestants) await each.close();
    }
    const rest = await atRest({ gateway, token, names, load: apart.load, started, say });
    const cut = await cutOffs({ authority, post, gateway, load: apart.load, started });
    return report({ kinds, rest, cut, rounds, seconds, note: apart.note });
  } finally {
    for (const program of started.reverse()) await program.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function mosquittoProgram() {
  return [process.env['COUNTERSIGN_TEST_MOSQUITTO'], '/usr/sbin/mosquitto'].find(
    (path) => path && existsSync(path),
  );
}

async function registerBroker(post) {
  await post('/resource-servers', {
    identifier: AUDIENCE,
    name: 'Bench',
    scopes: SCOPES.map((name) => ({ name, description: name, sensitivity: 0 })),
    token: { lifetime: 3600, signing_alg: 'ES256' },
    sender_constraint: 'none',
  });
}

async function sensor(post, client_id) {
  const end = new Date(Date.now() + 86_400_000).toISOString();
  const identity = await post('/identities', {
    name: client_id,
    client_id,
    kind: 'device',
    environment: 'prod',
    purpose: 'Publishes as fast as it can',
    owner: { person: 'bench@bench.example', backup: 'bench', team: 'benchers' },
    expires_at: end,
  });
  const credential = await post(`/identities/${identity.id}/credentials`, { type: 'client_secret' });
  await post('/access', {
    identity: identity.id,
    resource_server: AUDIENCE,
    scopes: SCOPES,
    justification: 'The bench',
    expires_at: end,
  });
  return { id: identity.id, client_id: identity.client_id, client_secret: credential.secret };
}

async function tokenOf(ready, { client_id, client_secret }) {
  const basic = Buffer.from(`${client_id}:${client_secret}`).toString('base64');
  const answer = await fetch(ready.token_endpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: AUDIENCE }),
  });
  return (await answer.json()).access_token;
}

async function startMosquitto(program, folder, prefix, started) {
  const port = await freePort();
  const user = process.getuid?.() === 0 ? 'user root\n' : '';
  writeFileSync(
    join(folder, 'mosquitto.conf'),
    `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_inflight_messages 100\nmax_queued_messages 10000\n${user}`,
  );
  started.push(launch([...prefix, program, '-c', join(folder, 'mosquitto.conf')]));
  await sleep(300);
  return port;
}

async function startGateway(folder, issuer, broker, prefix, started) {
  const readyFile = join(folder, 'mqtt-ready.json');
  writeFileSync(
    join(folder, 'mqtt.yaml'),
    `
issuer: ${issuer}
audience: ${AUDIENCE}
broker: mqtt://127.0.0.1:${broker}
listen: {mqtt: '127.0.0.1:0'}
limits: {connections: 10000, connectionsPerIdentity: 10000}
`,
  );
  const files = ['--config', join(folder, 'mqtt.yaml'), '--ready-file', readyFile];
  const program = launch([...prefix, process.execPath, GATEWAY, ...files], { cwd: folder });
  started.push(program);
  const { mqtt } = await awaitFrom(program, () => readWhole(readyFile));
  return { port: Number(new URL(mqtt).port), pid: program.child.pid };
}

async function startProxy(broker, prefix, started) {
  const program = launch([...prefix, process.execPath, PROXY, '--port', String(broker)]);
  started.push(program);
  const port = await awaitFrom(program, () => /^\d+$/m.exec(program.said())?.[0]);
  return { port: Number(port), pid: program.child.pid };
}

/** Clients, connected, in a process of their own. */
async function openLoad(
  prefix,
  { port, token, clientId, prefix: topics, deliver, connections = CONNECTIONS },
  started,
) {
  const child = spawn([...prefix, process.execPath][0], [...prefix, process.execPath, LOAD].slice(1), {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const stop = async () => void child.kill('SIGKILL');
  started.push({ stop });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (order) => {
    child.stdin.write(`${JSON.stringify(order)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error('the load has ended');
    return JSON.parse(value);
  };
  await ask({ port, connections, token, clientId, prefix: topics, deliver });
  return {
    ended: () => ask({ untilEnded: true }),
    publish: async (seconds, window) => (await ask({ publish: { seconds, window } })).messages,
    close: async () => {
      await ask({ close: true });
      await stop();
    },
  };
}

async function interleave([gateway, proxy], { rounds, seconds, window, say }) {
  const stretch = async (one) => {
    const before = cpuMicroseconds(one.pid);
    const messages = await one.publish(seconds, window);
    return { perSecond: (messages * 1e6) / (cpuMicroseconds(one.pid) - before), rate: messages / seconds };
  };
  // The compiler's share.
  for (const one of [gateway, proxy]) await one.publish(2, window);
  const seen = { gateway: [], proxy: [] };
  for (let round = 1; round <= rounds; round++) {
    seen.gateway.push(await stretch(gateway));
    seen.proxy.push(await stretch(proxy));
    const [ours, theirs] = [seen.gateway.at(-1), seen.proxy.at(-1)];
    say(
      `round ${round}: ${ours.perSecond.toFixed(0)} against ${theirs.perSecond.toFixed(0)} messages per CPU-second`,
    );
  }
  return seen;
}

async function atRest({ gateway, token, names, load, started, say }) {
  const before = residentMegabytes(gateway.pid).now;
  const clients = await openLoad(
    load,
    { ...names, port: gateway.port, token, connections: IDLE, deliver: false },
    started,
  );
  await sleep(5000);
  const cpu = cpuMicroseconds(gateway.pid);
  await sleep(5000);
  const used = (cpuMicroseconds(gateway.pid) - cpu) / 5e6;
  const { now } = residentMegabytes(gateway.pid);
  say(`${IDLE} connections at rest: ${now.toFixed(0)} MB`);
  await clients.close();
  return { before, now, used };
}

/** From the order to the end of the connection, one identity after the other, each connected through the gateway. */
async function cutOffs({ authority, post, gateway, load, started }) {
  const took = [];
  for (let at = 0; at < ORDERS; at++) {
    const client = await sensor(post, `bench-cut-${at}`);
    const token = await tokenOf(authority.ready, client);
    const names = { clientId: client.client_id, prefix: `bench/${client.client_id}`, deliver: false };
    const live = await openLoad(load, { ...names, port: gateway.port, token, connections: 1 }, started);
    const begun = performance.now();
    const ordered = post('/cutoffs', { kind: 'identity', id: client.id, reason: 'The bench' });
    await live.ended();
    took.push(performance.now() - begun);
    await ordered;
    await live.close();
  }
  const sorted = took.toSorted((one, other) => one - other);
  return { p50: sorted[ORDERS / 2], p99: sorted[Math.ceil(ORDERS * 0.99) - 1], worst: sorted.at(-1) };
}

function report({ kinds, rest, cut, rounds, seconds, note }) {
  const of = (stretches, what) => median(stretches.map((each) => each[what]));
  const rows = kinds.map(({ kind, gateway, proxy }) => {
    const ratios = gateway.map(({ perSecond }, at) => perSecond / proxy[at].perSecond);
    return {
      ratio: median(ratios),
      cells: [
        kind.name,
        of(gateway, 'perSecond').toFixed(0),
        of(proxy, 'perSecond').toFixed(0),
        `**${median(ratios).toFixed(2)}**`,
        `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`,
        of(gateway, 'rate').toFixed(0),
      ],
    };
  });
  return [
    `${rounds} interleaved rounds of ${seconds} s for each kind, ${CONNECTIONS} connections, MQTT 5, QoS 1, 64 bytes; medians over the rounds, the ratio that of each round. ${note}; the broker beside the load. ${meanwhile()}.`,
    table(
      [
        'messages per CPU-second',
        'gateway',
        'plain TCP proxy',
        'ratio',
        'lowest–highest',
        'messages a second',
      ],
      rows.map(({ cells }) => cells),
    ),
    `- the gateway does **${Math.min(...rows.map(({ ratio }) => ratio)).toFixed(2)}** of the plain proxy's messages per CPU-second in the worst kind; wanted: at least ${WANTED.ratio}`,
    `- ${IDLE} connections at rest: **${rest.now.toFixed(0)} MB** resident (${rest.before.toFixed(0)} before them), ${(rest.used * 100).toFixed(1)} % of a processor; wanted: under ${WANTED.idleMegabytes} MB`,
    `- from the order to cut an identity off until its connection ends, ${ORDERS} times: ${cut.p50.toFixed(0)} ms at p50, **${cut.p99.toFixed(0)} ms** at p99, ${cut.worst.toFixed(0)} at the worst; wanted: under ${WANTED.cutOffMs} at p99`,
  ].join('\n\n');
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
