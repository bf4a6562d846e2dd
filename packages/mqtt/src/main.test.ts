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
])('a file that cannot be used is told with the line that names it: %s', async (_, settings, fault) => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-mqtt-'));
  const file = join(folder, 'mqtt.yaml');
  writeFileSync(
    file,
    `issuer: 'http://127.0.0.1:1'\naudience: 'mqtts://broker.example'\nlogLevel: error\n${settings}`,
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
});
