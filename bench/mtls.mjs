/**
 * What a new mTLS connection costs (RFC 8705): handshake, one token by tls_client_auth, end; beside a bare node:https
 * server that asks for a certificate, believes anything and answers fixed bytes. No session is taken up again.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { awaitFrom, launch } from './contestant.mjs';
import { administrator, fill, freshFolder, isBuilt, startAuthority } from './countersign.mjs';
import { median, table } from './machine.mjs';
import { cpuMicroseconds } from './process-usage.mjs';
import { times } from './rounds.mjs';

const CONNECTIONS = 8;
const WARM_UP_SECONDS = 5;
const load = fileURLToPath(new URL('mtls-load.mjs', import.meta.url));
const bare = fileURLToPath(new URL('peers/bare-mtls-server.mjs', import.meta.url));

const EXTENSIONS = {
  ca: 'basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash',
  leaf: 'basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth,serverAuth\nauthorityKeyIdentifier=keyid',
};

/** A P-256 certificate in `folder`, by openssl; of its own when there is no issuer. */
function certificate(folder, name, issuer) {
  const extensions = issuer === undefined ? EXTENSIONS.ca : EXTENSIONS.leaf;
  writeFileSync(join(folder, `${name}.cnf`), `[req]\ndistinguished_name=dn\n[dn]\n[v3]\n${extensions}\n`);
  const openssl = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`];
  const request = ['req', '-new', ...key, '-subj', `/CN=${name}`, '-config', `${name}.cnf`];
  const out = ['-days', '2', '-out', `${name}.pem`];
  if (issuer === undefined) openssl(...request, '-x509', '-extensions', 'v3', ...out);
  else {
    openssl(...request, '-out', `${name}.csr`);
    const by = ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`, '-CAcreateserial'];
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      ...by,
      '-extfile',
      `${name}.cnf`,
      '-extensions',
      'v3',
      ...out,
    );
  }
  const read = (end) => readFileSync(join(folder, `${name}.${end}`), 'utf8');
  return { cert: read('pem'), key: read('key') };
}

function requestOf({ resource, scope }, clientId) {
  const form = { grant_type: 'client_credentials', client_id: clientId, resource, scope };
  const body = new URLSearchParams(form).toString();
  return (
    'POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n' +
    `Content-Length: ${body.length}\r\n\r\n${body}`
  );
}

/** Filled over plain http, then started again with TLS: node's fetch trusts no authority of ours. */
async function startFilled(folder, { clients, apart }) {
  const http = await startAuthority({ dataDir: folder, prefix: apart.server });
  let filled;
  const shown = [];
  try {
    filled = await fill(http.ready, clients);
    const post = await administrator(http.ready);
    const { cert: ca } = certificate(folder, 'clients');
    for (const { client_id: id } of filled.clients) {
      const material = { type: 'tls_client_auth', subject_dn: `CN=${id}`, ca };
      await post(`/identities/${id}/credentials`, material);
      shown.push(certificate(folder, id, 'clients'));
    }
  } finally {
    await http.stop();
  }
  const listen = ['dev', '--port', '0', '--mtls-port', '0'];
  const authority = await startAuthority({ dataDir: folder, prefix: apart.server, listen });
  const requests = filled.clients.map(({ client_id: id }) => requestOf(filled, id));
  return { authority, shown, requests };
}

/** One stretch of new connections: CPU time of the server for each, and what its callers saw. */
function stretch({ name, pid, port }, { shown, requests }, seconds, prefix) {
  const plan = JSON.stringify({ port, shown, requests, connections: CONNECTIONS, seconds });
  const before = cpuMicroseconds(pid);
  const [command, ...args] = [...prefix, process.execPath, load];
  const done = spawnSync(command, args, { input: plan, encoding: 'utf8', maxBuffer: 1 << 24 });
  if (done.status !== 0) throw new Error(`${name}: ${done.stderr}`);
  const result = JSON.parse(done.stdout);
  if (result.failed > 0 || result.answers === 0) {
    throw new Error(`${name}: ${result.failed} requests failed; the first: ${result.firstFailure}`);
  }
  const cpu = (cpuMicroseconds(pid) - before) / result.answers;
  return { cpu, p50: result.p50, rate: result.answers / result.seconds };
}

/**
 * @param {{apart: {server: string[], load: string[], note: string}, rounds: number, seconds: number, clients: number,
 *   say: (text: string) => void}} options
 * @returns {Promise<string | undefined>} Markdown
 */
export async function run(options) {
  if (!isBuilt() || spawnSync('openssl', ['version']).status !== 0) {
    options.say('not in this run: it needs a build and openssl');
    return undefined;
  }
  const folder = freshFolder();
  const { authority, shown, requests } = await startFilled(folder, options);
  certificate(folder, 'localhost', 'clients');
  const files = ['--cert', join(folder, 'localhost.pem'), '--key', join(folder, 'localhost.key')];
  const floor = launch([...options.apart.server, process.execPath, bare, ...files]);
  try {
    const ready = await awaitFrom(floor, () => (floor.said() === '' ? undefined : JSON.parse(floor.said())));
    const contestants = [
      {
        name: 'countersign',
        pid: authority.ready.pid,
        port: Number(new URL(authority.ready.mtls_base).port),
      },
      { name: 'bare node:https', pid: ready.pid, port: ready.port },
    ];
    const seen = contestants.map(() => []);
    const load = { shown, requests };
    for (const one of contestants) stretch(one, load, WARM_UP_SECONDS, options.apart.load);
    for (let round = 1; round <= options.rounds; round++) {
      for (const [at, one] of contestants.entries()) {
        seen[at].push(stretch(one, load, options.seconds, options.apart.load));
      }
      const said = contestants.map(({ name }, at) => `${name} ${seen[at].at(-1).cpu.toFixed(0)} µs`);
      options.say(`round ${round}: ${said.join(' · ')}`);
    }
    const of = (at, member) => median(seen[at].map((each) => each[member]));
    const rows = contestants.map(({ name }, at) => [
      name,
      of(at, 'cpu').toFixed(0),
      Math.round(of(at, 'rate')).toLocaleString('en'),
      of(at, 'p50').toFixed(2),
    ]);
    const [ours, theirs] = seen.map((stretches) => ({ rounds: stretches.map(({ cpu }) => cpu) }));
    const { median: ratio, low, high } = times(theirs, ours);
    return [
      `${options.rounds} interleaved rounds of ${options.seconds} s each, ${options.clients} clients in turn, ${CONNECTIONS} connections at a time; medians; ${options.apart.note}.`,
      table(['server', 'CPU µs per connection', 'connections per second', 'p50 ms'], rows),
      `- countersign takes **${ratio.toFixed(2)}×** (rounds: ${low.toFixed(2)}–${high.toFixed(2)}) the CPU time of a bare mTLS handshake; wanted: at most 1.3`,
    ].join('\n\n');
  } finally {
    await floor.stop();
    await authority.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
