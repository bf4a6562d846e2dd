import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { main } from './main.ts';

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

test.each([
  [
    'the login at the broker',
    "broker: {url: 'mqtt://127.0.0.1:1', username: a, passwordFile: gone}\nlisten: {mqtt: '127.0.0.1:0'}",
    '4:50: broker.passwordFile: names FOLDER/gone, which is not there',
  ],
  [
    'the CA of the broker',
    "broker: {url: 'mqtts://127.0.0.1:1', ca: .}\nlisten: {mqtt: '127.0.0.1:0'}",
    '4:38: broker.ca: names FOLDER, which is a folder',
  ],
  [
    'the key of a listener',
    "broker: 'mqtt://127.0.0.1:1'\nlisten: {mqtt: {address: '127.0.0.1:0', tls: {certificate: mqtt.yaml, key: gone.key}}}",
    '5:71: listen.mqtt.tls.key: names FOLDER/gone.key, which is not there',
  ],
  [
    'a CA of the broker that is none',
    "broker: {url: 'mqtts://127.0.0.1:1', ca: mqtt.yaml}\nlisten: {mqtt: '127.0.0.1:0'}",
    '4:38: broker.ca: names FOLDER/mqtt.yaml, which holds no certificate in PEM',
  ],
  [
    'an audience with a space',
    "broker: 'mqtt://127.0.0.1:1'\nlisten: {mqtt: '127.0.0.1:0'}",
    '2:1: audience: give the resource identifier as registered',
    'broker.example ',
  ],
  [
    'tokens bound to a certificate that nobody is asked for',
    "broker: 'mqtt://127.0.0.1:1'\nlisten: {mqtt: '127.0.0.1:0'}\nsenderConstraint: mtls",
    '6:1: senderConstraint: needs listen.mqtt with tls and askForCertificate: true',
  ],
  [
    'two listeners at one address',
    "broker: 'mqtt://127.0.0.1:1'\nlisten: {mqtt: '127.0.0.1:18830', operation: '127.0.0.1:18830'}",
    '5:35: listen.operation: is at 127.0.0.1:18830 as listen.mqtt is',
  ],
  [
    'proofs for which there is no web address',
    "broker: 'mqtt://127.0.0.1:1'\nlisten: {mqtt: '127.0.0.1:0'}\nsenderConstraint: any",
    '6:1: senderConstraint: needs an audience that is a web address; write mtls',
  ],
])(
  'what cannot be used is told with the line that names it: %s',
  async (_, settings, fault, audience = 'mqtts://broker.example') => {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-mqtt-'));
    const file = join(folder, 'mqtt.yaml');
    writeFileSync(
      file,
      `issuer: 'http://127.0.0.1:1'\naudience: '${audience}'\nlogLevel: error\n${settings}`,
    );
    let said = '';
    vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
      said += String(chunk);
      return true;
    });
    for (const how of [[], ['--check']]) {
      said = '';
      process.exitCode = undefined;
      await main(['--config', file, ...how]);
      expect([said, process.exitCode]).toEqual([`${file}:${fault.replaceAll('FOLDER', folder)}\n`, 2]);
    }
  },
);
