#!/usr/bin/env node
// A home: devices that claim their identity with a code and show their own certificate to the hub; a guest who may look at one
// thing; a camera that is stolen.
import { join } from 'node:path';
import { programOf } from '../stage/program.mjs';
import { expect, step } from '../stage/stage.mjs';
import { tell } from '../stage/telling.mjs';
import { publish, subscribe, thingsOf } from './devices.mjs';
import { DEVICES, documents, HOME } from './documents.mjs';
import { startBroker, startHub } from './hub.mjs';

/** Makes a key as `NAME.key`, and gets a certificate for it with the code of that device. */
function claimAs({ folder, ready, countersign }, name, codeOf = name) {
  const at = (file) => join(folder, file);
  const code = ['--code-file', at(`${codeOf}.code`)];
  const files = ['--key-file', at(`${name}.key`), '--cert-file', at(`${name}.pem`)];
  const authority = ['--issuer', ready.issuer, '--ca-file', ready.ca_file];
  return countersign('devices', 'claim', ...code, ...files, ...authority);
}

/** The owner makes a code, the device does the rest. */
async function claim(scene, name) {
  const file = join(scene.folder, `${name}.code`);
  const made = await scene.countersign('devices', 'code', name, '--secret-file', file);
  expect('a claim code', made.code === 0, made.err);
  const claimed = await claimAs(scene, name);
  expect('a certificate', claimed.code === 0, claimed.err);
}

async function story(scene) {
  const { folder, countersign } = scene;
  const broker = await step('the broker is up, and knows nobody', 'mosquitto -c mosquitto.conf &', () =>
    startBroker(folder),
  );
  const port = await step('the hub before it', 'countersign-mqtt --config hub.yaml &', () =>
    startHub(scene, broker),
  );
  for (const name of DEVICES) {
    const command = `countersign devices claim --code-file ${name}.code --key-file ${name}.key …`;
    await step(`${name} claims its identity; its key stays where it was made`, command, () =>
      claim(scene, name),
    );
  }
  await step(
    'a code works once: who finds it on the label is too late',
    'countersign devices claim --code-file lamp.code --key-file thief.key …',
    async () => {
      const { code, err } = await claimAs(scene, 'thief', 'lamp');
      expect('invalid_client', code !== 0 && err.includes('invalid_client'), err);
    },
  );
  const things = thingsOf(folder, port);
  const [thermometer, lamp, camera] = DEVICES.map((name) => things.withCertificate(name));
  const tokenFor = async (name) => {
    const client = scene.clientOf(name);
    const { accessToken } = await client.token({ resource: HOME });
    await client.close();
    return things.withToken(name, accessToken);
  };

  await step('the thermometer says how warm it is', 'mosquitto_pub --cert thermometer.pem …', async () => {
    const said = await publish(thermometer, 'home/thermometer/state', '21.5');
    expect('nothing to complain about', said === '', said);
  });
  const shining = subscribe(lamp, '311', 'home/lamp/set');
  const evening = await tokenFor('evening');
  await step(
    'the rule for the evening, with a token, switches the lamp on',
    'mosquitto_pub -t home/lamp/set -m on',
    async () => {
      await shining.says(/Subscribed \(mid: 1\): 1/);
      const said = await publish(evening, 'home/lamp/set', 'on');
      expect('nothing to complain about', said === '', said);
      await shining.says(/home\/lamp\/set on/);
    },
  );
  const guest = await tokenFor('guest-tablet');
  await step(
    'the guest sees how warm it is, and nothing else of the house',
    'mosquitto_sub -t home/thermometer/state -t home/camera/state -t #',
    async () => {
      const looking = subscribe(guest, '5', 'home/thermometer/state', 'home/camera/state', '#');
      await looking.says(/Subscribed \(mid: 1\): 1, 135, 135/);
      await looking.says(/home\/thermometer\/state 21\.5/);
      looking.leave();
    },
  );
  await step('and switches nothing: Not authorized', 'mosquitto_pub -t home/lamp/set -m off', async () => {
    const said = await publish(guest, 'home/lamp/set', 'off');
    expect('Not authorized', said.includes('Not authorized'), said);
  });
  await step(
    'the thermometer speaks for no other, and nobody comes under the name of another',
    'mosquitto_pub -i lamp --cert camera.pem …',
    async () => {
      const other = await publish(thermometer, 'home/camera/state', 'all quiet');
      expect('Not authorized', other.includes('Not authorized'), other);
      const posing = await publish(things.withCertificate('lamp', 'camera'), 'home/lamp/state', 'off');
      expect('Not authorized', posing.includes('Not authorized'), posing);
    },
  );

  const watching = subscribe(camera, '5', 'home/camera/set');
  await step('the camera waits to be told what to do', 'mosquitto_sub --cert camera.pem …', () =>
    watching.says(/Subscribed \(mid: 1\): 1/),
  );
  const order = ['cutoffs', 'create', '--kind', 'identity', '--id', 'camera', '--reason', 'stolen', '--yes'];
  await step('it is stolen, and cut off', `npx --no -- countersign ${order.join(' ')}`, async () => {
    const { code, out, err } = await countersign(...order);
    expect('a cut-off', code === 0, err || out);
  });
  await step('its session is over: DISCONNECT, administrative action', 'mosquitto_sub …', () =>
    watching.says(/received DISCONNECT \(152\)/i, 2000),
  );
  watching.leave();
  await step(
    'it gets neither in again nor another certificate',
    'countersign certificates renew …',
    async () => {
      const said = await publish(camera, 'home/camera/state', 'all quiet');
      expect('a refusal', /Administrative action|Not authorized/.test(said), said);
      const files = ['--key-file', join(folder, 'camera.key'), '--cert-file', join(folder, 'camera.pem')];
      const renewal = await countersign('certificates', 'renew', ...files);
      const told = renewal.err || renewal.out;
      expect('invalid_client', renewal.code !== 0 && told.includes('invalid_client'), told);
    },
  );
  await step(
    'the lamp has noticed nothing: it goes out',
    'mosquitto_pub -t home/lamp/set -m off',
    async () => {
      const said = await publish(evening, 'home/lamp/set', 'off');
      expect('nothing to complain about', said === '', said);
      const heard = await shining.says(/home\/lamp\/set off/);
      expect('one connection all along', heard.match(/CONNACK/g)?.length === 1, heard);
    },
  );
}

await tell(
  () => {
    for (const name of ['mosquitto', 'mosquitto_pub', 'mosquitto_sub', 'stdbuf', 'openssl']) programOf(name);
    return documents();
  },
  story,
  ['--mtls-port', '0'],
);
