// The broker and what stands before it, from the files of this folder: the addresses in them become those of this telling.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../stage/free-port.mjs';
import { programOf } from '../stage/program.mjs';
import { awaitFile, expect, start, startProgram } from '../stage/stage.mjs';

const HUB = fileURLToPath(new URL('../../packages/mqtt/bin/countersign-mqtt.js', import.meta.url));

/** Writes a file of this folder with its addresses replaced. @returns {string} where */
function place(folder, name, here) {
  const text = readFileSync(new URL(name, import.meta.url), 'utf8');
  const path = join(folder, name);
  writeFileSync(
    path,
    Object.entries(here).reduce((said, [there, address]) => said.replace(there, () => address), text),
  );
  return path;
}

/** Starts Mosquitto and waits until it takes connections. @param {string} folder @returns {Promise<number>} its port */
export async function startBroker(folder) {
  // It cannot be asked which port it took.
  const port = await freePort();
  const file = place(folder, 'mosquitto.conf', { 1884: String(port) });
  if (process.getuid?.() === 0) writeFileSync(file, 'user root\n', { flag: 'a' });
  const child = startProgram(programOf('mosquitto'), ['-c', file], { cwd: folder, env: process.env });
  for (const began = performance.now(); !(await takes(port)); await sleep(20)) {
    const waits = child.exitCode === null && performance.now() - began < 10_000;
    expect('a broker that takes connections', waits, `exit code ${child.exitCode}`);
  }
  return port;
}

function takes(port) {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/**
 * Starts the hub, with a certificate for its name that it makes itself: devices are told by hub.pem.
 * @param {import('../stage/telling.mjs').Scene} scene
 * @param {number} broker its port
 * @returns {Promise<string>} its port
 */
export async function startHub({ folder, ready }, broker) {
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const name = ['-subj', '/CN=hub', '-addext', 'subjectAltName=DNS:localhost', '-days', '30'];
  const files = ['-keyout', 'hub.key', '-out', 'hub.pem'];
  execFileSync(programOf('openssl'), ['req', '-x509', ...curve, ...name, ...files], {
    cwd: folder,
    stdio: 'pipe',
  });
  const config = place(folder, 'hub.yaml', {
    'https://localhost:8443': ready.issuer,
    'ca.pem': ready.ca_file,
    '127.0.0.1:1884': `127.0.0.1:${broker}`,
    '127.0.0.1:8883': '127.0.0.1:0',
  });
  const readyFile = join(folder, 'hub.json');
  const child = start([HUB, '--config', config, '--ready-file', readyFile], {
    cwd: folder,
    env: process.env,
  });
  return new URL((await awaitFile(child, readyFile)).mqtt).port;
}
