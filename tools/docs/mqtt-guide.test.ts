// The page about MQTT, pasted from top to bottom: a real authority, Debian's Mosquitto and its clients, aedes.
import { execFile } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, type TestContext } from 'vitest';
import { installPeer, PEER_TIMEOUT_MS } from '../services/npm-peer.ts';
import { freePort, openPage, type PastedPage, ROOT } from './pasted-page.ts';

/** As the page calls them, and where they are here. */
const PROGRAMS = {
  mosquitto_pub: process.env['COUNTERSIGN_TEST_MOSQUITTO_PUB'] ?? 'mosquitto_pub',
  mosquitto_sub: process.env['COUNTERSIGN_TEST_MOSQUITTO_SUB'] ?? 'mosquitto_sub',
  mosquitto: process.env['COUNTERSIGN_TEST_MOSQUITTO'] ?? 'mosquitto',
};
const AEDES = join(ROOT, 'packages/mqtt/test/aedes');

async function requireProgram(context: TestContext, program: string): Promise<void> {
  const isThere = await new Promise<boolean>((resolve) => {
    execFile(program, ['-h'], (error) => resolve(error?.code !== 'ENOENT'));
  });
  if (!isThere) context.skip(`absent: ${program}`);
}

/** Ports of the page, as they are here. */
async function otherPorts(): Promise<Record<string, string>> {
  const ports: Record<string, string> = {};
  for (const port of ['1883', '1884', '1885', '8883', '9191']) ports[port] = String(await freePort());
  return ports;
}

async function untilTaken(port: string | undefined): Promise<void> {
  for (let tries = 0; tries < 3000; tries++) {
    const taken = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port: Number(port) }, () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (taken) return;
    await sleep(10);
  }
  throw new Error(`nobody took connections on ${port}`);
}

/** What a block makes, and then the command at its end that stays. */
async function makeAndStart(page: PastedPage, block: string): Promise<void> {
  const lines = block.trimEnd().split('\n');
  const staying = lines.pop() as string;
  await page.shell(lines.join('\n'));
  page.start(staying);
}

it(
  'the guide to MQTT works from top to bottom',
  async (context) => {
    for (const program of Object.values(PROGRAMS)) await requireProgram(context, program);
    const ports = await otherPorts();
    const programs = Object.entries(PROGRAMS).map(([name, path]) => [`${name} -`, `'${path}' -`]);
    // Debian's needs to be told not to become another user.
    const user =
      process.getuid?.() === 0 ? { 'allow_anonymous true': 'allow_anonymous true\\nuser root' } : {};
    const page = await openPage('docs/guide/mqtt.md', { ...ports, ...Object.fromEntries(programs), ...user });
    context.onTestFinished(() => page.close());

    await page.shell(page.block('sh', 'plant.yaml'));
    await makeAndStart(page, page.block('sh', 'mosquitto.conf'));
    await untilTaken(ports['1884']);
    await makeAndStart(page, page.block('sh', 'mqtt.yaml'));
    await untilTaken(ports['1883']);
    const client = page.block('sh', 'TOKEN=');
    expect(await page.shell(client)).toBe('21.5\n');

    await makeAndStart(page, page.block('sh', 'mqtts.yaml'));
    await untilTaken(ports['8883']);
    expect(await page.shell(page.block('sh', '--cert sensor-7.pem'))).toBe('');

    const absent = await installPeer('aedes', AEDES, 'node_modules/aedes/aedes.js');
    if (absent !== undefined) return context.skip(absent);
    symlinkSync(join(AEDES, 'node_modules/aedes'), join(page.folder, 'aedes'));
    const program = page.block('js', 'aedesHooks').replace("from 'aedes'", "from './aedes/aedes.js'");
    writeFileSync(join(page.folder, 'broker.mjs'), program);
    const broker = page.start(`'${process.execPath}' broker.mjs`);
    let told = '';
    broker.stdout?.on('data', (chunk: Buffer) => (told += chunk.toString()));
    await untilTaken(ports['1885']);
    const toBroker = client.replaceAll(`-p ${ports['1883']}`, `-V 311 -p ${ports['1885']}`);
    expect(await page.shell(toBroker)).toBe('21.5\n');
    expect(told).toContain("type: 'accepted'");
  },
  PEER_TIMEOUT_MS,
);
