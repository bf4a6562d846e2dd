/**
 * How long one order takes until it has ended all that one device has open: requests and a stream over HTTP, MQTT through the gateway to
 * Mosquitto, CoAP over DTLS with libcoap, OPC UA with node-opcua. The authority, each guard and both brokers are processes of their own.
 *
 * As a program: `node device-cutoff.mjs '{"devices":3}'` prints what it measured as JSON (see SETTINGS), or what is missing for it.
 */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createClient } from '@countersign/client';
import { connectOpcUa } from '@countersign/opcua';
import { awaitFrom, launch } from './contestant.mjs';
import { administrator, freshFolder, isBuilt, readWhole, startAuthority } from './countersign.mjs';
import * as sessions from './device-sessions.mjs';
import { percentile } from './load.mjs';
import { root, table } from './machine.mjs';

const SETTINGS = { devices: 100, /** That have everything open at the same time. */ atATime: 5 };
const GUARDS = fileURLToPath(new URL('device-cutoff-guards.mjs', import.meta.url));
const MQTT_GATEWAY = join(root, 'packages/mqtt/bin/countersign-mqtt.js');
/** An order that has not been obeyed by then is one that never will be. */
const PATIENCE_MS = 20_000;
const WANTED_MS = 1000;
/** node-opcua loads an address space of thousands of nodes first. */
const GUARD_WITHIN_MS = 90_000;

/** Resource servers, by protocol: what a device may do there. */
const APIS = {
  http: { identifier: 'https://readings.plant.example', scopes: ['read'] },
  mqtt: { identifier: 'https://mqtt.plant.example', scopes: ['mqtt.sub:plant/{client}/#'] },
  coap: {
    identifier: 'coaps://lock.plant.example',
    scopes: ['read', 'tokens:derive'],
    token: { format: 'cwt' },
  },
  opcua: { identifier: 'urn:plant.example:press-7', scopes: ['opcua.read'] },
};
const KINDS = {
  'http-request': 'HTTP, the next request',
  'http-stream': 'HTTP, a stream',
  mqtt: 'MQTT',
  coap: 'CoAP',
  opcua: 'OPC UA',
};

/** What others have written, and where; or the name of what is missing. */
export function findPrograms() {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  const find = (variable, program) =>
    [process.env[variable], ...folders.map((folder) => join(folder, program))].find(
      (path) => path && existsSync(path),
    );
  const programs = {
    mosquitto: find('COUNTERSIGN_TEST_MOSQUITTO', 'mosquitto'),
    subscriber: find('COUNTERSIGN_TEST_MOSQUITTO_SUB', 'mosquitto_sub'),
    libcoap: [process.env['COUNTERSIGN_TEST_LIBCOAP'], ...folders].find(
      (folder) => folder && existsSync(join(folder, 'coap-client-openssl')),
    ),
    'node-opcua': process.env['COUNTERSIGN_TEST_NODE_OPCUA'] || installNodeOpcua(),
  };
  const missing = Object.keys(programs).find((name) => programs[name] === undefined);
  return { programs, missing };
}

function installNodeOpcua() {
  const installer = join(root, 'tools/services/install-peer.mjs');
  const what = [join(root, 'packages/opcua/test/node-opcua'), 'node_modules/node-opcua/dist/index.js'];
  try {
    return execFileSync(process.execPath, [installer, ...what], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

/** @param {Partial<typeof SETTINGS>} given @param {(text: string) => void} say */
export async function measure(given, say = () => undefined) {
  const settings = { ...SETTINGS, ...given };
  const { programs, missing } = findPrograms();
  if (missing !== undefined) throw new Error(`${missing} is not on this machine`);
  const folder = freshFolder();
  /** What ends with this, in the order in which it began. */
  const started = [];
  try {
    const authority = await startAuthority({ dataDir: folder });
    started.push(authority);
    const { ready } = authority;
    const post = await administrator(ready);
    for (const [name, api] of Object.entries(APIS)) await register(post, name, api);
    const plant = await startPlant({ ready, post, programs, folder, started });
    say('the plant is up');
    const times = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, []]));
    let othersEnded = 0;
    for (let done = 0; done < settings.devices; done += settings.atATime) {
      const count = Math.min(settings.atATime, settings.devices - done);
      const devices = [];
      for (let at = 0; at < count; at++) devices.push(await openDevice(plant, post, `device-${done + at}`));
      for (const [at, device] of devices.entries()) {
        for (const [kind, ms] of Object.entries(await cutOff(device, post))) times[kind].push(ms);
        othersEnded += devices
          .slice(at + 1)
          .flatMap(openOf)
          .filter((open) => !open).length;
      }
      for (const { uses } of devices) await Promise.all(Object.values(uses).map(({ close }) => close()));
      say(`${done + count} devices cut off`);
    }
    return { devices: settings.devices, othersEnded, protocols: summary(times) };
  } finally {
    for (const each of started.reverse()) await each.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function summary(times) {
  const entries = Object.entries(times).map(([kind, ms]) => {
    const sorted = ms.toSorted((one, other) => one - other).map(Math.round);
    return [
      kind,
      {
        orders: sorted.length,
        p50: percentile(sorted, 0.5),
        p99: percentile(sorted, 0.99),
        max: sorted.at(-1),
      },
    ];
  });
  return Object.fromEntries(entries);
}

async function register(post, name, { identifier, scopes, token }) {
  const named = scopes.map((scope) => ({ name: scope, description: scope, sensitivity: 0 }));
  await post('/resource-servers', { identifier, name, scopes: named, ...(token && { token }) });
}

const IN_A_DAY = () => new Date(Date.now() + 86_400_000).toISOString();

async function enrol(post, client_id, apis) {
  const identity = await post('/identities', {
    name: client_id,
    client_id,
    kind: 'device',
    environment: 'prod',
    purpose: 'Is there to be cut off',
    owner: { person: 'bench@bench.example', backup: 'bench', team: 'benchers' },
    expires_at: IN_A_DAY(),
  });
  const { secret } = await post(`/identities/${identity.id}/credentials`, { type: 'client_secret' });
  for (const [name, scopes] of Object.entries(apis)) {
    await post('/access', {
      identity: identity.id,
      resource_server: APIS[name].identifier,
      scopes,
      justification: 'The bench',
      expires_at: IN_A_DAY(),
    });
  }
  return { id: identity.id, client_id: identity.client_id, client_secret: secret };
}

async function startPlant({ ready, post, programs, folder, started }) {
  const { issuer } = ready;
  const guard = async (name, more) => {
    const audience = APIS[name].identifier;
    const settings = JSON.stringify({ issuer, audience, ...more });
    const program = launch([process.execPath, GUARDS, name], {
      env: { ...process.env, GUARD_SETTINGS: settings },
    });
    started.push(program);
    return await awaitFrom(program, () => jsonLine(program.said()), 5, GUARD_WITHIN_MS);
  };
  const upstream = await freeUdpPort();
  started.push(
    launch([join(programs.libcoap, 'coap-server-notls'), '-A', '127.0.0.1', '-p', String(upstream)]),
  );
  const own = await enrol(post, 'the-lock', { coap: ['tokens:derive'] });
  const module = programs['node-opcua'];
  const applications = await makeApplications(await import(pathToFileURL(module).href), folder);
  started.push(applications);
  const press = await guard('opcua', { module, pki: applications.press.folder });
  return {
    ready,
    http: await guard('http'),
    mqtt: { program: programs.subscriber, port: await startMqtt({ issuer, programs, folder, started }) },
    coap: { folder: programs.libcoap, ...(await guard('coap', { own, upstream })) },
    opcua: {
      opcua: applications.opcua,
      connect: connectOpcUa,
      application: applications.panel,
      ...press,
    },
  };
}

/** A press and a panel that trust each other's certificate, and nobody else's. */
async function makeApplications(opcua, folder) {
  opcua.setWarningLogger(() => undefined);
  opcua.setErrorLogger(() => undefined);
  const make = async (name, uri) => {
    const rootFolder = join(folder, `${name}-pki`);
    const manager = new opcua.OPCUACertificateManager({
      rootFolder,
      automaticallyAcceptUnknownCertificate: false,
    });
    await manager.initialize();
    const certificateFile = join(rootFolder, 'own/certs/certificate.pem');
    await manager.createSelfSignedCertificate({
      applicationUri: uri,
      dns: ['localhost'],
      ip: ['127.0.0.1'],
      outputFile: certificateFile,
      startDate: new Date(Date.now() - 60_000),
      subject: `/CN=${name}`,
      validity: 2,
    });
    return { uri, manager, folder: rootFolder, certificateFile };
  };
  const press = await make('press', APIS.opcua.identifier);
  const panel = await make('panel', 'urn:plant.example:panel');
  const certificateOf = ({ certificateFile }) => new X509Certificate(readFileSync(certificateFile)).raw;
  await press.manager.trustCertificate(certificateOf(panel));
  await panel.manager.trustCertificate(certificateOf(press));
  await press.manager.dispose();
  return { opcua, press, panel, stop: () => panel.manager.dispose() };
}

async function startMqtt({ issuer, programs, folder, started }) {
  const port = await freePort();
  const user = process.getuid?.() === 0 ? 'user root\n' : '';
  const lines = `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\n${user}`;
  writeFileSync(join(folder, 'mosquitto.conf'), lines);
  started.push(launch([programs.mosquitto, '-c', join(folder, 'mosquitto.conf')]));
  const [file, readyFile] = [join(folder, 'mqtt.yaml'), join(folder, 'mqtt-ready.json')];
  const settings = { issuer, audience: APIS.mqtt.identifier, broker: `mqtt://127.0.0.1:${port}` };
  writeFileSync(file, JSON.stringify({ ...settings, listen: { mqtt: '127.0.0.1:0' } }));
  const gateway = launch([process.execPath, MQTT_GATEWAY, '--config', file, '--ready-file', readyFile], {
    cwd: folder,
  });
  started.push(gateway);
  const { mqtt } = await awaitFrom(gateway, () => readWhole(readyFile));
  return Number(new URL(mqtt).port);
}

/** An identity that has everything open. */
async function openDevice(plant, post, name) {
  const { scopes: topics } = APIS.mqtt;
  const device = await enrol(post, name, {
    http: ['read'],
    mqtt: topics,
    coap: ['read'],
    opcua: ['opcua.read'],
  });
  const { issuer, token_endpoint: endpoint } = plant.ready;
  const client = createClient({ issuer, clientId: device.client_id, clientSecret: device.client_secret });
  const tokenFor = async (api) => (await client.token({ resource: APIS[api].identifier })).accessToken;
  const uses = {
    'http-request': sessions.httpRequests(plant.http, await tokenFor('http')),
    'http-stream': sessions.httpStream(plant.http, await tokenFor('http')),
    mqtt: sessions.mqtt(plant.mqtt, await tokenFor('mqtt'), device.client_id),
    coap: await sessions.coap(plant.coap, await sessions.coapToken(endpoint, device, APIS.coap.identifier)),
    opcua: await sessions.opcua(plant.opcua, { client, resource: APIS.opcua.identifier }),
  };
  for (const [kind, { use }] of Object.entries(uses)) {
    await inTime(use.begun, `${name}: ${kind} never worked`);
    if (!use.isOpen) throw new Error(`${name}: ${kind} was refused`);
  }
  return { ...device, uses };
}

const openOf = ({ uses }) => Object.values(uses).map(({ use }) => use.isOpen);

/** Milliseconds from the sending of the order to the end of each, by kind. */
async function cutOff({ id, client_id, uses }, post) {
  if (openOf({ uses }).includes(false)) throw new Error(`${client_id} had lost something before the order`);
  const orderedAt = performance.now();
  const ordered = post('/cutoffs', { kind: 'identity', id, reason: 'The bench' });
  const took = {};
  for (const [kind, { use }] of Object.entries(uses)) {
    took[kind] = (await inTime(use.ended, `${client_id}: ${kind} went on after the order`)) - orderedAt;
  }
  await ordered;
  return took;
}

async function inTime(promise, otherwise) {
  const given = new AbortController();
  const late = sleep(PATIENCE_MS, undefined, { signal: given.signal }).then(() => {
    throw new Error(otherwise);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    given.abort();
  }
}

function jsonLine(said) {
  const line = said.split('\n').find((each) => each.startsWith('{') && each.endsWith('}'));
  return line && JSON.parse(line);
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

/** @returns {Promise<number>} */
function freeUdpPort() {
  return new Promise((resolve) => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1', () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}

/** @param {{say: (text: string) => void}} options @returns {Promise<string | undefined>} Markdown */
export async function run({ say }) {
  const { missing } = findPrograms();
  if (!isBuilt() || missing !== undefined) {
    say(`device-cutoff is NOT in this run: ${missing ?? 'countersign'} is not there`);
    return undefined;
  }
  const { devices, othersEnded, protocols } = await measure({}, say);
  const rows = Object.entries(protocols).map(([kind, { p50, p99, max }]) => [
    KINDS[kind],
    String(p50),
    `**${p99}**`,
    String(max),
  ]);
  const method = `${devices} devices, ${SETTINGS.atATime} at a time with everything open; ms from the sending of one order until each is refused or closed, as its client sees it. Wanted: under ${WANTED_MS} at p99. Everything on one machine.`;
  return `${method}\n\n${table(['ms', 'p50', 'p99', 'longest'], rows)}\n\n- of the devices beside, so many lost anything: ${othersEnded}; wanted: 0`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const given = JSON.parse(process.argv[2] ?? '{}');
  const { missing } = findPrograms();
  const say = (text) => process.stderr.write(`${text}\n`);
  const result = missing === undefined ? await measure(given, say) : { missing };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
