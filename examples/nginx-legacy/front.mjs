// The two processes before the application, from the files of this folder: the addresses in them become those of this telling.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../stage/free-port.mjs';
import { programOf } from '../stage/program.mjs';
import { awaitFile, expect, start, startProgram } from '../stage/stage.mjs';

const GATEWAY = fileURLToPath(new URL('../../packages/gateway/bin/countersign-gateway.js', import.meta.url));

/** A file of this folder with its addresses replaced. @param {string} name @param {Record<string, string>} here */
function placed(name, here) {
  const text = readFileSync(new URL(name, import.meta.url), 'utf8');
  return Object.entries(here).reduce((said, [there, address]) => said.replace(there, () => address), text);
}

/**
 * Starts the gateway. `stop` ends it, and it alone.
 * @param {import('../stage/telling.mjs').Scene} scene
 * @returns {Promise<{ auth: string, stop: () => Promise<void> }>} auth: where proxies ask it
 */
export async function startGateway({ folder, ready }) {
  const [config, readyFile] = ['gateway.yaml', 'gateway.json'].map((name) => join(folder, name));
  const here = {
    'https://localhost:8443': ready.issuer,
    'ca.pem': ready.ca_file,
    '127.0.0.1:9180': '127.0.0.1:0',
  };
  writeFileSync(config, placed('gateway.yaml', here));
  const child = start([GATEWAY, '--config', config, '--ready-file', readyFile], {
    cwd: folder,
    env: process.env,
  });
  const { auth } = await awaitFile(child, readyFile);
  const stop = () =>
    new Promise((resolve) => {
      child.once('exit', () => resolve(undefined));
      child.kill('SIGTERM');
    });
  return { auth, stop };
}

/**
 * Starts nginx, and waits until it takes connections.
 * @param {string} folder for what nginx writes
 * @param {{ app: string, auth: string }} behind
 * @returns {Promise<string>} its address
 */
export async function startNginx(folder, { app, auth }) {
  const program = programOf('nginx');
  // nginx cannot be asked which port it took.
  const address = `127.0.0.1:${await freePort()}`;
  const here = { '127.0.0.1:8000': address, '127.0.0.1:8080': app, 'http://127.0.0.1:9180': auth };
  const home = join(folder, 'nginx');
  mkdirSync(home);
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((of) => `${of}_temp_path ${of};`);
  writeFileSync(
    join(home, 'nginx.conf'),
    `daemon off; ${user} worker_processes 1; pid nginx.pid; error_log error.log;
events {}
http {
  access_log off; ${scratch.join(' ')}
  ${placed('nginx.conf', here)}
}
`,
  );
  const child = startProgram(program, ['-p', home, '-c', join(home, 'nginx.conf')], {
    cwd: home,
    env: process.env,
  });
  const took = async () => (await fetch(`http://${address}/status`).catch(() => undefined)) !== undefined;
  for (const began = performance.now(); !(await took()); await sleep(20)) {
    const waits = child.exitCode === null && performance.now() - began < 10_000;
    expect('nginx that takes connections', waits, `exit code ${child.exitCode}, see ${home}/error.log`);
  }
  return `http://${address}`;
}
