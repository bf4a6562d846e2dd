#!/usr/bin/env node
// A factory: a press that speaks OPC UA, a control room that looks, a laptop whose right to write ends with its token, and is then lost.
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, step } from '../stage/stage.mjs';
import { tell } from '../stage/telling.mjs';
import { certificatesIn } from './application.mjs';
import { Clients } from './clients.mjs';
import { documents, NAMES } from './documents.mjs';
import { findNodeOpcua, loadNodeOpcua } from './node-opcua.mjs';

/** Makes an RSA key, which is what OPC UA wants, as NAME.key, and gets a certificate for it. */
async function enrol({ folder, countersign }, name) {
  const at = (file) => join(folder, file);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(at(`${name}.key`), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const files = [
    '--key-file',
    at(`${name}.key`),
    '--cert-file',
    at(`${name}.pem`),
    '--root-file',
    at('root.pem'),
  ];
  const { code, err } = await countersign('certificates', 'issue', name, ...files);
  expect('a certificate', code === 0, err);
}

async function story(scene) {
  const module = findNodeOpcua();
  const clients = new Clients(await loadNodeOpcua(module), scene);
  try {
    await shift(scene, module, clients);
  } finally {
    await clients.close();
  }
}

async function shift(scene, module, clients) {
  const { countersign, serve, folder } = scene;
  for (const name of Object.keys(NAMES)) {
    await step(
      `${name} gets a certificate for an RSA key of its own`,
      `npx --no -- countersign certificates issue ${name} --key-file ${name}.key …`,
      () => enrol(scene, name),
    );
  }
  const url = await step('the press is up', 'node press.mjs . node-opcua &', () =>
    serve('factory/press.mjs', folder, module),
  );
  const scada = await step(
    'the control room connects: a channel by certificate, a session by token',
    'connectOpcUa(opcua, { opcUaClient, endpointUrl, client, resource })',
    async () => {
      const connection = await clients.connect('scada', url);
      const temperature = await clients.read(connection, 'Temperature');
      expect('180 degrees', temperature === 180, String(temperature));
      return connection;
    },
  );
  await step('it looks, and changes nothing: BadUserAccessDenied', 'session.write(…)', async () => {
    const status = await clients.write(scada, 'Speed', 90);
    expect('BadUserAccessDenied', status === 'BadUserAccessDenied', status);
  });
  const laptop = await step(
    'the maintenance laptop slows the press down: its token has opcua.write as well',
    'session.write(…)',
    async () => {
      const connection = await clients.connect('maintenance', url);
      const status = await clients.write(connection, 'Speed', 20);
      expect('Good', status === 'Good', status);
      const speed = await clients.read(scada, 'Speed');
      expect('the control room sees 20', speed === 20, String(speed));
      return connection;
    },
  );

  const narrowed = ['access', 'update', await accessOf(scene, 'maintenance'), '--scopes', 'opcua.read'];
  await step(
    'order 4711 is done: it may still look',
    `npx --no -- countersign ${narrowed.join(' ')}`,
    async () => {
      const { code, err } = await countersign(...narrowed);
      expect('a change', code === 0, err);
    },
  );
  await step(
    'with its next token it does: the same session writes no more, and reads on',
    'ActivateSession, by @countersign/opcua before the token ends',
    async () => {
      const { sessionId } = laptop.session;
      for (let tries = 0; (await clients.write(laptop, 'Speed', 20)) === 'Good'; tries++) {
        expect('an end within the life of a token', tries < 60, 'Good');
        await sleep(250);
      }
      const status = await clients.write(laptop, 'Speed', 20);
      expect('BadUserAccessDenied', status === 'BadUserAccessDenied', status);
      expect('20', (await clients.read(laptop, 'Speed')) === 20, String(await clients.read(laptop, 'Speed')));
      expect(
        'one session all along',
        laptop.session.sessionId === sessionId,
        String(laptop.session.sessionId),
      );
    },
  );

  const order = [
    'cutoffs',
    'create',
    '--kind',
    'identity',
    '--id',
    'maintenance',
    '--reason',
    'laptop lost',
    '--yes',
  ];
  await step('the laptop is lost, and cut off', `npx --no -- countersign ${order.join(' ')}`, async () => {
    const { code, out, err } = await countersign(...order);
    expect('a cut-off', code === 0, err || out);
  });
  await step('its session is closed, and it gets neither token nor session', 'connection.ended', async () => {
    void clients.read(laptop, 'Speed').catch(() => undefined);
    const { code } = await laptop.ended;
    expect('a refusal', /^refused_by_(?:authority|server)$/.test(code), code);
    const again = await clients.connect('maintenance', url).catch((error) => error);
    expect('refused_by_authority', again.code === 'refused_by_authority', String(again.code));
  });
  await step(
    'its certificate opens no channel either, to whoever reads the list of today',
    'certificateManager.addRevocationList(…)',
    async () => {
      const { certificateManager } = await clients.application('scada');
      const chain = Buffer.concat(certificatesIn(join(folder, 'maintenance.pem')));
      const status = await certificateManager.checkCertificate(chain);
      expect('BadCertificateRevoked', status.name === 'BadCertificateRevoked', status.name);
    },
  );
  await step('the control room has noticed nothing', 'session.read(…)', async () => {
    const speed = await clients.read(scada, 'Speed');
    expect('20', speed === 20, String(speed));
  });
}

/** The id of what it holds at the press. */
async function accessOf({ countersign }, identity) {
  const { out } = await countersign('access', 'list', '--identity', identity, '-o', 'json');
  const listed = JSON.parse(out);
  return (listed.items ?? listed)[0].id;
}

await tell(() => {
  findNodeOpcua();
  return documents();
}, story);
