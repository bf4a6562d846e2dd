/**
 * What a new mutual TLS connection costs (RFC 8705): one request on each, no session resumed, P-256 on both sides.
 * Countersign beside a bare node:https server that asks for certificates too; and with a token at the end, for which it
 * knows the client by its certificate, decides, signs, and writes the audit record.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { awaitFrom, launch } from './contestant.mjs';
import { command, freshFolder, isBuilt, readWhole } from './countersign.mjs';
import { median, table } from './machine.mjs';
import { cpuMicroseconds } from './process-usage.mjs';
import { times } from './rounds.mjs';

const PEER = fileURLToPath(new URL('peers/bare-mtls-server.mjs', import.meta.url));
/** Connections of one stretch, and how many of them at a time: the grain of CPU time is 10 ms. */
const CONNECTIONS = 240;
const AT_ONCE = 4;
const WARM_UP = 600;

/**
 * @param {{apart: {server: string[], note: string}, rounds: number, say: (text: string) => void}} options
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
    const shown = certificateIn(folder);
    const contestants = await startAll(folder, shown, options, started);
    for (const one of contestants) await stretch(one, shown, WARM_UP);
    const rounds = contestants.map(() => []);
    for (let round = 1; round <= options.rounds; round++) {
      for (const [at, one] of contestants.entries()) rounds[at].push(await stretch(one, shown, CONNECTIONS));
      options.say(
        `round ${round}: ${contestants.map(({ name }, at) => `${name} ${rounds[at].at(-1).toFixed(0)} µs`).join(' · ')}`,
      );
    }
    return report(contestants, rounds, options);
  } finally {
    for (const program of started) await program.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function certificateIn(folder) {
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=bench'];
  const files = ['-keyout', 'client.key', '-out', 'client.pem', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...kind, ...files], { cwd: folder, stdio: 'pipe' });
  const read = (file) => readFileSync(join(folder, file), 'utf8');
  return { cert: read('client.pem'), key: read('client.key') };
}

async function startAll(folder, { cert }, { apart }, started) {
  const readyFile = join(folder, 'ready.json');
  writeFileSync(join(folder, 'bench.yaml'), declared(cert));
  const dev = [command, 'dev', '--port', '0', '--mtls-port', '0', '--data-dir', folder];
  const files = ['--ready-file', readyFile, '--apply', 'bench.yaml'];
  const ours = launch([...apart.server, process.execPath, ...dev, ...files], { cwd: folder });
  started.push(ours);
  const ready = await awaitFrom(ours, () => readWhole(readyFile));
  const pair = [join(folder, 'server.pem'), join(folder, 'server.key')];
  const peer = launch([...apart.server, process.execPath, PEER, ...pair]);
  started.push(peer);
  const { port } = JSON.parse(await awaitFrom(peer, () => /^\{.*\}$/m.exec(peer.said())?.[0]));
  const mtls = new URL(ready.mtls_base).port;
  return [
    { name: 'bare node:https', pid: peer.child.pid, port, path: '/' },
    { name: 'countersign', pid: ready.pid, port: mtls, path: '/healthz', method: 'GET' },
    { name: 'countersign, and a token', pid: ready.pid, port: mtls, path: '/oauth/token' },
  ];
}

const RESOURCE = 'https://api.bench.example/';

function declared(certificate) {
  const documents = [
    ['ResourceServer', { identifier: RESOURCE, scopes: [{ name: 'read', description: 'Read' }] }],
    [
      'Identity',
      {
        kind: 'service',
        environment: 'dev',
        purpose: 'Opens connections as fast as it can',
        owner: { person: 'bench@bench.example', team: 'bench' },
        expires_in: '30d',
      },
    ],
    ['Credential', { identity: 'bench', type: 'self_signed_tls_client_auth', certificate }],
    [
      'Access',
      {
        identity: 'bench',
        resource_server: RESOURCE,
        scopes: ['read'],
        justification: 'The bench',
        expires_in: '30d',
      },
    ],
  ];
  return documents
    .map(([kind, spec]) =>
      JSON.stringify({ apiVersion: 'countersign/v1', kind, metadata: { name: 'bench' }, spec }),
    )
    .join('\n---\n');
}

/** CPU time of the server in µs for each of `count` connections. */
async function stretch({ name, pid, port, path, method = 'POST' }, shown, count) {
  const body = method === 'GET' ? '' : 'grant_type=client_credentials&client_id=bench';
  const one = () =>
    new Promise((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port,
        path,
        method,
        agent: false,
        rejectUnauthorized: false,
        ...shown,
      };
      const headers = { 'content-type': 'application/x-www-form-urlencoded', connection: 'close' };
      const outgoing = request({ ...options, headers }, (answer) => {
        if (answer.statusCode !== 200) reject(new Error(`${name} answered ${answer.statusCode}`));
        answer.resume().on('end', resolve);
      });
      outgoing.on('error', reject).end(body);
    });
  const before = cpuMicroseconds(pid);
  let left = count;
  const worker = async () => {
    while (left-- > 0) await one();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return (cpuMicroseconds(pid) - before) / count;
}

function report(contestants, rounds, options) {
  const rows = contestants.map(({ name }, at) => [name, median(rounds[at]).toFixed(0)]);
  const against = (at) => {
    const { median: middle, low, high } = times({ rounds: rounds[0] }, { rounds: rounds[at] });
    return `**${middle.toFixed(2)}×** (rounds: ${low.toFixed(2)}–${high.toFixed(2)})`;
  };
  return [
    `${options.rounds} interleaved rounds of ${CONNECTIONS} connections, ${AT_ONCE} at a time; medians; ${options.apart.note}.`,
    table(['server', 'CPU µs per connection'], rows),
    [
      `- a new connection costs ${against(1)} what it costs a bare node:https server; wanted: at most 1.3`,
      `- with a token it costs ${against(2)} that`,
    ].join('\n'),
  ].join('\n\n');
}
