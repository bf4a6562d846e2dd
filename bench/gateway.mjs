/**
 * What the gateway adds to a request that goes through nginx: `auth_request` beside the same nginx without it, before the same
 * application, with a token that the gateway has seen before. As docs/guide/gateway-nginx.md has it, and with connections to
 * the gateway that are kept.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { awaitFrom, launch } from './contestant.mjs';
import { fill, freshFolder, isBuilt, readWhole, startAuthority } from './countersign.mjs';
import { latencyTable, meanwhile, takeTurns, timed } from './latency.mjs';
import { root } from './machine.mjs';

const GATEWAY = join(root, 'packages/gateway/bin/countersign-gateway.js');
const APP = fileURLToPath(new URL('peers/plain-app.mjs', import.meta.url));
/** Requests of each kind in a round. */
const REQUESTS = 300;
const KINDS = { alone: '/alone', kept: '/kept', anew: '/anew' };

/**
 * @param {{rounds: number, say: (text: string) => void}} options
 * @returns {Promise<string | undefined>} Markdown
 */
export async function run({ rounds, say }) {
  const nginx = nginxProgram();
  if (!isBuilt() || nginx === undefined) {
    say(nginx === undefined ? 'nginx is not on this machine' : 'countersign is not built');
    return undefined;
  }
  const folder = freshFolder();
  const started = [];
  try {
    const authority = await startAuthority({ dataDir: folder });
    started.push(authority);
    const { resource, clients } = await fill(authority.ready, 1);
    const token = await tokenOf(authority.ready, clients[0], resource);
    const { address, pids } = await startFront(
      { folder, nginx, issuer: authority.ready.issuer, resource },
      started,
    );
    const init = { headers: { authorization: `Bearer ${token}` } };
    const through = (path) => () => timed(() => fetch(`http://${address}${path}`, init));
    const kinds = {
      'nginx alone': through(KINDS.alone),
      'nginx and the gateway': through(KINDS.anew),
      'the same, connections to the gateway kept': through(KINDS.kept),
    };
    const taken = await takeTurns(kinds, { rounds, each: REQUESTS, warmUp: REQUESTS, pids, say });
    return report(taken, rounds);
  } finally {
    for (const program of started.reverse()) await program.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function nginxProgram() {
  const given = process.env['COUNTERSIGN_TEST_NGINX'];
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  return [given, ...folders.map((each) => join(each, 'nginx'))].find((path) => path && existsSync(path));
}

async function tokenOf(ready, { client_id, client_secret }, resource) {
  const basic = Buffer.from(`${client_id}:${client_secret}`).toString('base64');
  const answer = await fetch(ready.token_endpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource, scope: 'read' }),
  });
  return (await answer.json()).access_token;
}

async function startFront({ folder, nginx, issuer, resource }, started) {
  const app = launch([process.execPath, APP]);
  started.push(app);
  const upstream = await awaitFrom(app, () => /^\S+:\d+$/m.exec(app.said())?.[0]);

  const readyFile = join(folder, 'gateway.json');
  writeFileSync(join(folder, 'gateway.yaml'), gatewayConfig(issuer, resource));
  const files = ['--config', join(folder, 'gateway.yaml'), '--ready-file', readyFile];
  const gateway = launch([process.execPath, GATEWAY, ...files], { cwd: folder });
  started.push(gateway);
  const { auth } = await awaitFrom(gateway, () => readWhole(readyFile));

  const home = join(folder, 'nginx');
  mkdirSync(home);
  const address = `127.0.0.1:${await freePort()}`;
  writeFileSync(join(home, 'nginx.conf'), nginxConfig({ address, upstream, auth: new URL(auth).host }));
  const front = launch([nginx, '-p', home, '-c', join(home, 'nginx.conf')]);
  started.push(front);
  await awaitFrom(front, () => readWhole(join(home, 'nginx.pid')));
  return { address, pids: { nginx: front.child.pid, gateway: gateway.child.pid } };
}

const gatewayConfig = (issuer, resource) => `
issuer: ${issuer}
listen: {auth: '127.0.0.1:0'}
resources: {bench: {audience: '${resource}'}}
routes:
  - {prefix: /kept, resource: bench, scope: read}
  - {prefix: /anew, resource: bench, scope: read}
`;

/** One process, so that its CPU time is all of it. */
function nginxConfig({ address, upstream, auth }) {
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((of) => `${of}_temp_path ${of};`);
  const passed = `proxy_pass http://${upstream}; proxy_set_header Host $host;`;
  const identity = ['client_id', 'subject', 'scope', 'token_id'];
  const told = identity.map((claim) => {
    const header = `Countersign-${claim.replace(/(^|_)./g, (part) => part.toUpperCase().replace('_', '-'))}`;
    return `auth_request_set $c_${claim} $upstream_http_countersign_${claim}; proxy_set_header ${header} $c_${claim};`;
  });
  const asked = (name, to) => `
    location ${KINDS[name]} { auth_request /_${name}; ${passed} ${told.join(' ')} proxy_set_header Authorization ""; }
    location = /_${name} {
      internal; proxy_pass http://${to}/auth/nginx; proxy_pass_request_body off; proxy_set_header Content-Length "";
      ${name === 'kept' ? 'proxy_http_version 1.1; proxy_set_header Connection "";' : ''}
      proxy_set_header X-Original-Method $request_method; proxy_set_header X-Original-URI $request_uri;
      proxy_set_header X-Original-Host $host;
    }`;
  return `daemon off; master_process off; ${user} pid nginx.pid; error_log error.log;
events {}
http {
  access_log off; ${scratch.join(' ')}
  upstream gateway { server ${auth}; keepalive 16; }
  server {
    listen ${address};
    location ${KINDS.alone} { ${passed} }
    ${asked('kept', 'gateway')}
    ${asked('anew', auth)}
  }
}
`;
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

function report(taken, rounds) {
  const [, anew, kept] = taken;
  return [
    `${rounds} interleaved rounds of ${REQUESTS} requests of each kind, one at a time, by connections that are kept; medians over the rounds. All on the same processors. ${meanwhile()}.`,
    latencyTable('one request', taken),
    `- the gateway adds **${anew.addedP50.toFixed(2)} ms** at p50 and **${anew.addedP99.toFixed(2)} ms** at p99; with kept connections to it ${kept.addedP50.toFixed(2)} and ${kept.addedP99.toFixed(2)}`,
  ].join('\n\n');
}
