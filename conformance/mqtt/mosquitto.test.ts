// mosquitto_pub and mosquitto_sub, which know nothing of tokens, through the gateway to a Mosquitto that knows nothing of it.
import { afterAll, describe, expect, test, vi } from 'vitest';
import { mayStartServers } from '../wire/target.ts';
import { mosquittoPrograms, publish, subscribe } from './mosquitto-clients.ts';
import { CONTROL, type MqttWorld, openMqttWorld, SENSOR } from './mqtt-world.ts';

// Each of these starts servers of its own.
vi.setConfig({ testTimeout: 180_000 });

describe.runIf(mayStartServers())('MQTT through the gateway (needs the countersign command)', () => {
  let opening: Promise<MqttWorld> | undefined;
  const worldOf = (broker: string): Promise<MqttWorld> => (opening ??= openMqttWorld(broker));
  afterAll(async () => (await opening)?.close());

  test.for(['311', '5'] as const)(
    'version %s: a sensor publishes, the control room reads',
    async (version, context) => {
      const { broker, pub, sub } = mosquittoPrograms(context);
      const world = await worldOf(broker);
      const { url } = world;
      const [sensor, control] = [await world.machine(SENSOR), await world.machine(CONTROL)];
      const as = async (machine: typeof sensor) => ({
        url,
        version,
        id: machine.id,
        token: await world.token(machine),
      });
      const room = subscribe(sub, await as(control), 'plant/#');
      await room.says(/received SUBACK[\s\S]*Subscribed \(mid: 1\): 1/);
      const topic = `plant/${sensor.id}/temperature`;
      expect(await publish(pub, await as(sensor), topic)).toEqual({ code: 0, text: '' });
      await room.says(new RegExp(`${topic} to ${topic}`));
      // Its own place, and no other.
      const elsewhere = await publish(pub, await as(sensor), 'plant/another/temperature');
      if (version === '5') expect(elsewhere.text).toContain('Publish 1 failed: Not authorized.');
      else expect(elsewhere.code).not.toBe(0);
      const eager = subscribe(sub, await as(sensor), 'plant/#', `plant/${sensor.id}/cmd`);
      await eager.says(version === '5' ? /Subscribed \(mid: 1\): 135, 1/ : /Subscribed \(mid: 1\): 128, 1/);
      expect(room.text()).not.toContain('plant/another');
      eager.stop();
      room.stop();
      await room.ended();
    },
  );

  test.for(['311', '5'] as const)('version %s: what opens nothing is refused', async (version, context) => {
    const { broker, pub } = mosquittoPrograms(context);
    const world = await worldOf(broker);
    const { url } = world;
    const sensor = await world.machine(SENSOR);
    const other = await world.machine(SENSOR);
    const token = await world.token(sensor);
    const topic = `plant/${sensor.id}/t`;
    const say = async (client: { id?: string; token?: string }): Promise<string> =>
      (await publish(pub, { url, version, id: sensor.id, token, ...client }, topic)).text;
    const words =
      version === '5'
        ? { token: 'Not authorized', id: 'Client Identifier not valid' }
        : { token: 'bad user name or password', id: 'identifier rejected' };
    expect(await say({ token: `${token.slice(0, -8)}AAAAAAAA` })).toContain(words.token);
    expect(await say({ token: 'hunter2' })).toContain(words.token);
    // A genuine token for another API.
    expect(await say({ token: await world.admin.token() })).toContain(words.token);
    expect(await say({ token: await world.token(other) })).toContain(words.id);
    expect(await say({})).toBe('');
  });

  test('a cut-off ends the session of its identity, and of no other', async (context) => {
    const { broker, sub, pub } = mosquittoPrograms(context);
    const world = await worldOf(broker);
    const { url } = world;
    const [sensor, control] = [await world.machine(SENSOR), await world.machine(CONTROL)];
    const room = subscribe(
      sub,
      { url, version: '5', id: control.id, token: await world.token(control) },
      'plant/#',
    );
    const token = await world.token(sensor);
    const live = subscribe(sub, { url, version: '5', id: sensor.id, token }, `plant/${sensor.id}/#`);
    await Promise.all([live.says(/Subscribed/), room.says(/Subscribed/)]);
    await world.admin.must('POST', '/cutoffs', { kind: 'identity', id: sensor.identityId, reason: 'stolen' });
    await live.says(/received DISCONNECT \(152\)|DISCONNECT.*152/);
    live.stop();
    const again = await publish(pub, { url, version: '5', id: sensor.id, token }, `plant/${sensor.id}/t`);
    expect(again.text).toContain('Administrative action');
    expect(room.child.exitCode).toBe(null);
    room.stop();
  });
});
