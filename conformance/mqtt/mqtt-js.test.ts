// The client library `mqtt`, through the gateway to Debian's Mosquitto.
import { afterAll, describe, expect, test, vi } from 'vitest';
import { prepare, runForeign } from '../foreign/run.ts';
import { mayStartServers } from '../wire/target.ts';
import { mosquittoPrograms } from './mosquitto-clients.ts';
import { type MqttWorld, openMqttWorld, SENSOR } from './mqtt-world.ts';

vi.setConfig({ testTimeout: 180_000 });

describe.runIf(mayStartServers())(
  'the library mqtt through the gateway (needs the countersign command)',
  () => {
    prepare('node');
    let world: MqttWorld | undefined;
    afterAll(() => world?.close());

    test('versions 4 and 5: QoS 0 to 2, aliases, refusals, and a new token on a live connection', async (context) => {
      world = await openMqttWorld(mosquittoPrograms(context).broker);
      const [sensor, thief] = [await world.machine(SENSOR), await world.machine(SENSOR)];
      const { code, stdout, stderr } = await runForeign(context, 'node', ['mqtt.mjs'], {
        MQTT_URL: world.url,
        CLIENT_ID: sensor.id,
        TOKEN: await world.token(sensor),
        OTHER_TOKEN: await world.token(thief),
      });
      expect(code, stderr).toBe(0);
      const heard = ['0a', '0b', '1a', '1b', '2a', '2b'];
      expect(JSON.parse(stdout)).toEqual({
        v4: { granted: [2, 128], heard },
        v5: { granted: [2, 135], heard, denied: 135 },
        thief4: 2,
        thief5: 0x85,
        broken4: 4,
        broken5: 0x87,
        renewed: 0,
      });
    });
  },
);
