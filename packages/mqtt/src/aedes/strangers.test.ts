// mosquitto_pub, mosquitto_sub and the client library mqtt at a broker made with aedes: none of them was written here.
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { AEDES_FOLDER, loadAedes, PEER_TIMEOUT_MS } from '../../test/aedes-peer.ts';
import { type AedesScene, openAedesScene } from '../../test/aedes-scene.ts';

beforeAll(() => loadAedes(), PEER_TIMEOUT_MS);

const [PUB, SUB] = (['pub', 'sub'] as const).map((does) =>
  [process.env[`COUNTERSIGN_TEST_MOSQUITTO_${does.toUpperCase()}`], `/usr/bin/mosquitto_${does}`].find(
    (path) => path !== undefined && existsSync(path),
  ),
);

interface Said {
  readonly code: number;
  readonly text: string;
}

function say(scene: AedesScene, token: string, topic: string, ...more: readonly string[]): Promise<Said> {
  const to = ['-h', '127.0.0.1', '-p', String(scene.port), '-V', '311', '-t', topic, '-m', 'x', '-q', '1'];
  const as = ['-i', 'sensor-1', '-u', 'sensor-1', '-P', token];
  return new Promise((resolve) => {
    execFile(PUB as string, [...to, ...as, ...more], { timeout: 10_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : 1, text: `${stdout}${stderr}` }),
    );
  });
}

describe.runIf(PUB !== undefined && SUB !== undefined)(
  'mosquitto_pub and mosquitto_sub (needs mosquitto-clients)',
  () => {
    it('publish and subscribe, and are told what is wrong', async (context) => {
      const scene = await openAedesScene(context);
      const token = await scene.token();
      expect(await say(scene, token, 'plant/sensor-1/a')).toEqual({ code: 0, text: '' });
      const wrong = async (bad: string, ...more: readonly string[]): Promise<string> =>
        (await say(scene, bad, 'plant/sensor-1/a', ...more)).text;
      expect(await wrong('hunter2')).toContain('bad user name or password');
      expect(await wrong(await scene.token({ aud: 'https://other.example' }))).toContain('bad user name');
      expect(await wrong(await scene.token({ exp: 1, iat: 0 }))).toContain('bad user name or password');
      expect(await wrong(await scene.token({ scope: 'read' }))).toContain('not authorised');
      expect(await wrong(token, '-i', 'sensor-2')).toContain('identifier rejected');
      expect((await say(scene, token, 'plant/sensor-2/a')).code).toBe(1);
    });

    it('a cut-off ends the subscription of its identity', async (context) => {
      const scene = await openAedesScene(context);
      const to = ['-h', '127.0.0.1', '-p', String(scene.port), '-V', '311', '-i', 'sensor-1', '-d'];
      const as = ['-u', 'sensor-1', '-P', await scene.token(), '-t', 'plant/sensor-1/#'];
      const live = spawn('stdbuf', ['-oL', SUB as string, ...to, ...as], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      let text = '';
      live.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
      await expect.poll(() => text, { timeout: 10_000 }).toContain('SUBACK');
      await scene.issuer.cutOff({ kind: 'identity', id: 'sensor-1' });
      // It connects again by itself, and is refused.
      await expect.poll(() => text, { timeout: 10_000 }).toContain('CONNACK (5)');
      live.kill('SIGTERM');
    });
  },
);

it('the library mqtt publishes at every QoS, and is told what is wrong', async (context) => {
  const scene = await openAedesScene(context);
  const env = {
    PATH: process.env['PATH'] ?? '',
    MQTT_URL: `mqtt://127.0.0.1:${scene.port}`,
    CLIENT_ID: 'sensor-1',
    TOKEN: await scene.token(),
    OTHER_TOKEN: await scene.token({ client_id: 'thief', sub: 'thief' }),
  };
  const told = await new Promise<string>((resolve, reject) => {
    execFile(
      process.execPath,
      [join(AEDES_FOLDER, 'mqtt-client.mjs')],
      { env, timeout: 15_000 },
      (error, stdout, stderr) => (error === null ? resolve(stdout) : reject(new Error(stderr))),
    );
  });
  expect(JSON.parse(told)).toEqual({
    echo: { granted: [2, 128], heard: 3, denied: 'closed' },
    thief: 2,
    broken: 4,
    five: 1,
  });
});
