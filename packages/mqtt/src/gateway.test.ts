import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MOSQUITTO } from '../test/mosquitto.ts';
import { type MqttScene, openMqttScene } from '../test/mqtt-scene.ts';
import { authPacket, GOODBYE, publishPacket, subscribePacket } from '../test/raw-client.ts';
import { AUTH, DISCONNECT, PUBACK, PUBLISH, PUBREC, SUBACK } from './wire/packet-type.ts';

describe.runIf(MOSQUITTO !== undefined)('before a real Mosquitto (needs mosquitto)', () => {
  let scene: MqttScene;
  beforeEach(async () => {
    scene = await openMqttScene();
  });
  afterEach(async () => {
    const { bugs } = scene;
    await scene.close();
    expect(bugs).toEqual([]);
  });

  describe.each([4, 5] as const)('MQTT version %s', (version) => {
    it('a client publishes where its scopes say, and gets what it subscribed to', async () => {
      const client = await scene.inside({ version });
      client.send(subscribePacket(version, 7, 'plant/sensor-1/cmd', 'news/+'));
      expect([...(await client.next(SUBACK)).content.subarray(-2)]).toEqual([1, 1]);
      client.send(publishPacket(version, 'plant/sensor-1/cmd', { qos: 1, packetId: 9, payload: 'go' }));
      expect((await client.next(PUBACK)).content.readUInt16BE(0)).toBe(9);
      const message = client.received.find(({ type }) => type === PUBLISH) ?? (await client.next(PUBLISH));
      expect(message.content.toString()).toContain('plant/sensor-1/cmd');
    });

    it('a filter that no scope covers is refused alone', async () => {
      const client = await scene.inside({ version });
      client.send(
        subscribePacket(
          version,
          7,
          'plant/#',
          'news/a',
          '#',
          '$SYS/#',
          'plant/sensor-1/+',
          '$share/g/news/+',
        ),
      );
      const no = version === 5 ? 0x87 : 0x80;
      expect([...(await client.next(SUBACK)).content.subarray(-6)]).toEqual([no, 1, no, no, 1, 1]);
      client.send(subscribePacket(version, 8, 'plant/+/x'));
      expect([...(await client.next(SUBACK)).content.subarray(-1)]).toEqual([no]);
    });

    it.each([
      ['for another audience', { aud: 'https://other.example' }],
      ['that has expired', { exp: 1, iat: 0 }],
      ['of another key', {}],
      ['without a topic', { scope: 'read' }],
    ])('a token %s opens nothing', async (what, claims) => {
      let token = await scene.token(claims);
      if (what === 'of another key') token = `${token.slice(0, -8)}AAAAAAAA`;
      const { client, code } = await scene.connect({ version, token });
      expect(code).toBe(version === 5 ? 0x87 : what === 'without a topic' ? 5 : 4);
      await client.closed();
    });

    it('the client identifier of another identity is refused, and that one stays connected', async () => {
      const victim = await scene.inside({ version });
      const token = await scene.token({ client_id: 'thief', sub: 'thief' });
      const { code } = await scene.connect({ version, token, clientId: 'sensor-1' });
      expect(code).toBe(version === 5 ? 0x85 : 2);
      const prefixed = await scene.connect({ version, token, clientId: 'sensor-1:a' });
      expect(prefixed.code).toBe(version === 5 ? 0x85 : 2);
      victim.send(publishPacket(version, 'plant/sensor-1/a', { qos: 1 }));
      await victim.next(PUBACK);
      expect(victim.isClosed).toBe(false);
    });

    it('a token that expires ends the connection', async () => {
      const client = await scene.inside({ version });
      await scene.issuer.advance(601);
      if (version === 5) expect((await client.next(DISCONNECT)).content[0]).toBe(0x87);
      await client.closed();
    });

    it('a cut-off ends the connection, and not that of others', async () => {
      const client = await scene.inside({ version });
      const other = await scene.inside({
        version,
        clientId: 'sensor-2',
        token: await scene.token({ client_id: 'sensor-2', sub: 'sensor-2' }),
      });
      await scene.issuer.cutOff({ kind: 'identity', id: 'sensor-1' });
      if (version === 5) expect((await client.next(DISCONNECT)).content[0]).toBe(0x98);
      await client.closed();
      other.send(publishPacket(version, 'plant/sensor-2/a', { qos: 1 }));
      await other.next(PUBACK);
    });

    it('a Will on a topic of another is refused', async () => {
      const will = { topic: 'plant/sensor-2/a', flags: 4, properties: [], payload: Buffer.from('x') };
      expect((await scene.connect({ version, token: await scene.token(), will })).code).toBe(
        version === 5 ? 0x87 : 5,
      );
    });
  });

  it('MQTT 5: a message that no scope covers is answered, and the connection goes on', async () => {
    const client = await scene.inside({ version: 5 });
    client.send(
      publishPacket(5, 'plant/sensor-2/a', { qos: 1, packetId: 3 }),
      publishPacket(5, 'plant/sensor-2/a', { qos: 2, packetId: 4 }),
      publishPacket(5, 'plant/sensor-1/a', { qos: 1, packetId: 5 }),
    );
    expect([...(await client.next(PUBACK)).content]).toEqual([0, 3, 0x87]);
    expect([...(await client.next(PUBREC)).content]).toEqual([0, 4, 0x87]);
    expect((await client.next(PUBACK)).content.readUInt16BE(0)).toBe(5);
    client.send(publishPacket(5, 'plant/sensor-2/a'));
    expect((await client.next(DISCONNECT)).content[0]).toBe(0x87);
  });

  it('MQTT 3.1.1: a message that no scope covers ends the connection', async () => {
    const client = await scene.inside({ version: 4 });
    client.send(publishPacket(4, 'plant/sensor-2/a', { qos: 1 }));
    await client.closed();
    expect(scene.ledger.counts().ended.get('publish_denied')).toBe(1);
  });

  it('another token takes the place of the first one without a new connection, and its rights count at once', async () => {
    const client = await scene.inside({ version: 5, ace: true });
    client.send(subscribePacket(5, 1, 'news/a'));
    await client.next(SUBACK);
    const scope = 'mqtt.pub:plant/{client}/b mqtt.pub:news/a';
    client.send(authPacket(await scene.token({ scope })));
    expect((await client.next(AUTH)).content[0]).toBe(0);
    client.send(publishPacket(5, 'plant/sensor-1/a', { qos: 1, packetId: 1 }));
    expect([...(await client.next(PUBACK)).content]).toEqual([0, 1, 0x87]);
    // It may publish there now, and not receive any more.
    client.send(
      publishPacket(5, 'news/a', { qos: 1, packetId: 2 }),
      publishPacket(5, 'plant/sensor-1/b', { qos: 1, packetId: 3 }),
    );
    await client.next(PUBACK);
    await client.next(PUBACK);
    expect(client.received.filter(({ type }) => type === PUBLISH)).toEqual([]);
    expect(scene.ledger.counts().withheld).toBe(1);
    client.send(authPacket(await scene.token({ client_id: 'thief', sub: 'thief' })));
    expect((await client.next(DISCONNECT)).content[0]).toBe(0x87);
  });

  it('a client that leaves is gone', async () => {
    const client = await scene.inside({ version: 5 });
    client.send(GOODBYE);
    await client.closed();
    expect(scene.sessions.size).toBe(0);
    expect([...scene.ledger.counts().ended]).toEqual([['left', 1]]);
  });
});
