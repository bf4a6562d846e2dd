// A session in its details, before a real Mosquitto.
import { connect as connectTls } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { testCertificate } from '../test/certificate.ts';
import { MOSQUITTO, startMosquitto } from '../test/mosquitto.ts';
import { AUDIENCE, type MqttScene, openMqttScene, type SceneOptions } from '../test/mqtt-scene.ts';
import {
  authPacket,
  connectPacket,
  GOODBYE,
  openRawClient,
  publishPacket,
  type RawClient,
  subscribePacket,
} from '../test/raw-client.ts';
import { CONNACK, DISCONNECT, PUBACK, PUBCOMP, PUBLISH, PUBREC, SUBACK } from './wire/packet-type.ts';
import { Cursor } from './wire/data-types.ts';
import { readConnack } from './wire/connack.ts';
import {
  ASSIGNED_CLIENT_IDENTIFIER,
  binaryProperty,
  MAXIMUM_PACKET_SIZE,
  numberProperty,
  readProperties,
  SESSION_EXPIRY_INTERVAL,
  TOPIC_ALIAS,
  USER_PROPERTY,
  WILL_DELAY_INTERVAL,
  writeFourBytes,
} from './wire/property.ts';

describe.runIf(MOSQUITTO !== undefined)('before a real Mosquitto (needs mosquitto)', () => {
  let scene: MqttScene;
  const open = async (options?: SceneOptions): Promise<MqttScene> => (scene = await openMqttScene(options));
  afterEach(async () => {
    const { bugs } = scene;
    await scene.close();
    expect(bugs).toEqual([]);
  });
  /** A client that is delivered everything of the plant. */
  const watcher = async (version: 4 | 5 = 5): Promise<RawClient> => {
    const token = await scene.token({ client_id: 'room', sub: 'room', scope: 'mqtt.sub:plant/#' });
    const client = await scene.inside({ version, clientId: 'room', token });
    client.send(subscribePacket(version, 1, 'plant/#'));
    await client.next(SUBACK);
    return client;
  };
  const topicsOf = (client: RawClient): readonly string[] =>
    client.received
      .filter(({ type }) => type === PUBLISH)
      .map(({ content }) => new Cursor(content, 0, content.length).text());
  const alias = (value: number) => ({ id: TOPIC_ALIAS, bytes: Buffer.from([TOPIC_ALIAS, 0, value]) });

  it('a token that is bound to a certificate opens with that certificate, and to nobody who has only the token', async () => {
    const server = testCertificate('localhost');
    await open({ tls: { cert: server.cert, key: server.key, requestCert: true } });
    const [own, other] = [testCertificate('sensor-1'), testCertificate('thief')];
    const token = await scene.token({ cnf: { 'x5t#S256': own.thumbprint } });
    const with_ = async (shown: { cert: string; key: string } | undefined): Promise<number> => {
      const client = await openRawClient(scene.port, (at) =>
        connectTls({ ...(at as object), ca: server.cert, servername: 'localhost', ...shown } as never),
      );
      client.send(connectPacket({ version: 5, token }));
      const { content } = await client.next(CONNACK);
      client.socket.destroy();
      return content[1] as number;
    };
    expect([await with_(undefined), await with_(other), await with_(own)]).toEqual([0x87, 0x87, 0]);
    expect([...scene.ledger.counts().refused]).toEqual([
      ['certificate_missing', 1],
      ['certificate_mismatch', 1],
    ]);
  });

  it('topic aliases stand for what was judged, and those of denied messages for nothing', async () => {
    await open();
    const room = await watcher();
    const client = await scene.inside({ version: 5 });
    client.send(
      publishPacket(5, 'plant/sensor-1/a', { properties: [alias(1)] }),
      publishPacket(5, '', { qos: 1, packetId: 2, properties: [alias(1)] }),
    );
    await client.next(PUBACK);
    await expect.poll(() => topicsOf(room)).toEqual(['plant/sensor-1/a', 'plant/sensor-1/a']);
    client.send(
      publishPacket(5, 'plant/sensor-2/a', { qos: 1, packetId: 3, properties: [alias(2)] }),
      publishPacket(5, '', { qos: 1, packetId: 4, properties: [alias(2)] }),
    );
    expect([...(await client.next(PUBACK)).content]).toEqual([0, 3, 0x87]);
    expect((await client.next(DISCONNECT)).content[0]).toBe(0x94);
    const beyond = await scene.inside({ version: 5 });
    beyond.send(publishPacket(5, 'plant/sensor-1/a', { properties: [alias(200)] }));
    expect((await beyond.next(DISCONNECT)).content[0]).toBe(0x94);
  });

  it('the Will of a client that is lost or expires is published; of one that was cut off or said goodbye it is not', async () => {
    await open();
    const room = await watcher();
    const will = (n: number) => ({
      topic: `plant/sensor-1/will-${n}`,
      flags: 4,
      properties: [],
      payload: Buffer.from('gone'),
    });
    const lost = await scene.inside({ version: 5, clientId: 'sensor-1:a', will: will(1) });
    lost.socket.destroy();
    const polite = await scene.inside({ version: 4, clientId: 'sensor-1:b', will: will(2) });
    polite.send(GOODBYE);
    await polite.closed();
    const expires = await scene.inside({
      version: 5,
      clientId: 'sensor-1:c',
      will: will(3),
      token: await scene.token({ exp: Math.floor(Date.now() / 1000) + 2 }),
    });
    expect((await expires.next(DISCONNECT)).content[0]).toBe(0x87);
    const cut = await scene.inside({ version: 5, clientId: 'sensor-1:d', will: will(4) });
    await scene.issuer.cutOff({ kind: 'identity', id: 'sensor-1' });
    expect((await cut.next(DISCONNECT)).content[0]).toBe(0x98);
    await sleep(300);
    expect(topicsOf(room).toSorted()).toEqual(['plant/sensor-1/will-1', 'plant/sensor-1/will-3']);
  });

  it('a Will that is to wait does not, unless it may: a cut-off would come too late for it', async () => {
    await open();
    const room = await watcher();
    const waiting = (n: number) => ({
      topic: `plant/sensor-1/will-${n}`,
      flags: 4,
      properties: [writeFourBytes(WILL_DELAY_INTERVAL, 60)],
      payload: Buffer.from('gone'),
    });
    const keeps = { version: 5, properties: [writeFourBytes(SESSION_EXPIRY_INTERVAL, 60)] } as const;
    const lost = await scene.inside({ ...keeps, clientId: 'sensor-1:a', will: waiting(1) });
    lost.socket.destroy();
    await expect.poll(() => topicsOf(room)).toEqual(['plant/sensor-1/will-1']);
    await scene.issuer.cutOff({ kind: 'identity', id: 'sensor-1' });
    await sleep(300);
    expect(topicsOf(room)).toEqual(['plant/sensor-1/will-1']);
  });

  it('a Will waits for as long as it may, and no longer', async () => {
    await open({ limits: { willDelay: 2 } });
    const room = await watcher();
    const will = {
      topic: 'plant/sensor-1/will',
      flags: 4,
      properties: [writeFourBytes(WILL_DELAY_INTERVAL, 60)],
      payload: Buffer.from('gone'),
    };
    const properties = [writeFourBytes(SESSION_EXPIRY_INTERVAL, 60)];
    const lost = await scene.inside({ version: 5, clientId: 'sensor-1:a', will, properties });
    lost.socket.destroy();
    await sleep(600);
    expect(topicsOf(room)).toEqual([]);
    await expect.poll(() => topicsOf(room), { timeout: 6000 }).toEqual(['plant/sensor-1/will']);
  });

  it.each([4, 5] as const)(
    'version %s: what an older session still subscribes to is withheld, and the broker goes on',
    async (version) => {
      await open();
      const wide = await scene.token({ scope: 'mqtt.sub:plant/#' });
      const before = await scene.inside({
        version,
        clean: false,
        token: wide,
        clientId: 'sensor-1',
        properties: version === 5 ? [{ id: 0x11, bytes: Buffer.from([0x11, 0, 0, 1, 0]) }] : [],
      });
      before.send(withQos2(subscribePacket(version, 1, 'plant/#')));
      await before.next(SUBACK);
      before.send(GOODBYE);
      await before.closed();
      const other = await scene.inside({
        version,
        clientId: 'sensor-2',
        token: await scene.token({ client_id: 'sensor-2', sub: 'sensor-2', scope: 'mqtt.pub:plant/#' }),
      });
      other.send(
        publishPacket(version, 'plant/secret', { qos: 2, packetId: 1 }),
        publishPacket(version, 'plant/secret', { qos: 1, packetId: 2 }),
        publishPacket(version, 'plant/sensor-1/a', { qos: 1, packetId: 3 }),
      );
      await other.next(PUBREC);
      other.send(Buffer.from([0x62, 2, 0, 1]));
      await other.next(PUBCOMP);
      const narrow = await scene.token({ scope: 'mqtt.sub:plant/{client}/#' });
      const after = await scene.inside({ version, clean: false, token: narrow, clientId: 'sensor-1' });
      await after.next(PUBLISH);
      expect(topicsOf(after)).toEqual(['plant/sensor-1/a']);
      await expect.poll(() => scene.ledger.counts().withheld).toBe(2);
    },
  );

  it('a retained message reaches who may have it', async () => {
    await open();
    const client = await scene.inside({ version: 5 });
    client.send(publishPacket(5, 'plant/sensor-1/state', { qos: 1, retain: true, payload: 'on' }));
    await client.next(PUBACK);
    const room = await watcher(4);
    await room.next(PUBLISH);
    expect(topicsOf(room)).toEqual(['plant/sensor-1/state']);
  });

  it('MQTT 5 clients are told the limit, a name of their own, and where to get a token', async () => {
    await open();
    const { client, code } = await scene.connect({ version: 5, token: await scene.token(), clientId: '' });
    expect(code).toBe(0);
    const { content } = client.received[0] as RawClient['received'][number];
    const { properties } = readConnack(5, content, 0, content.length);
    expect(numberProperty(properties, MAXIMUM_PACKET_SIZE)).toBe(65_536);
    expect(binaryProperty(properties, ASSIGNED_CLIENT_IDENTIFIER)?.toString()).toMatch(
      /^sensor-1:[\w-]{16}$/,
    );
    const stranger = await scene.connect({ version: 5 });
    expect(stranger.code).toBe(0x87);
    const refused = (stranger.client.received[0] as RawClient['received'][number]).content;
    const [hint] = readProperties(new Cursor(refused, 2, refused.length));
    expect(hint?.id).toBe(USER_PROPERTY);
    expect(hint?.bytes.toString()).toContain(JSON.stringify({ AS: scene.issuer.issuer, audience: AUDIENCE }));
  });

  it('authentication by another method is refused, and AUTH where none began', async () => {
    await open();
    const method = { id: 0x15, bytes: Buffer.from([0x15, 0, 3, ...Buffer.from('foo')]) };
    expect((await scene.connect({ version: 5, properties: [method] })).code).toBe(0x8c);
    const client = await scene.inside({ version: 5 });
    client.send(authPacket(await scene.token()));
    expect((await client.next(DISCONNECT)).content[0]).toBe(0x82);
    const ace = await scene.inside({ version: 5, ace: true });
    ace.send(authPacket('no.token.at-all'));
    expect((await ace.next(DISCONNECT)).content[0]).toBe(0x87);
  });

  it('whatever a connection does, it costs nobody else anything', async () => {
    await open({ limits: { connectTimeout: 1, packetBytes: 2048, perIdentity: 3 } });
    const good = await scene.inside({
      version: 5,
      token: await scene.token({ client_id: 'good', sub: 'good' }),
      clientId: 'good',
    });
    const silent = await openRawClient(scene.port);
    const hostile = [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]),
      Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0x7f]),
      publishPacket(5, 'plant/sensor-1/a'),
      Buffer.from([0x10, 12, 0, 4, ...Buffer.from('MQTT'), 5, 0xc3, 0, 0, 0, 0]),
    ];
    for (const bytes of hostile) {
      const client = await openRawClient(scene.port);
      client.send(bytes);
      await client.closed(1500);
    }
    const old = await openRawClient(scene.port);
    old.send(Buffer.from([0x10, 14, 0, 6, ...Buffer.from('MQIsdp'), 3, 2, 0, 60, 0, 0]));
    expect([...(await old.next(CONNACK)).content]).toEqual([0, 1]);
    await silent.closed(3000);

    const large = await scene.inside({ version: 5, clientId: 'sensor-1:a' });
    large.send(publishPacket(5, 'plant/sensor-1/a', { payload: Buffer.alloc(4096) }));
    expect((await large.next(DISCONNECT)).content[0]).toBe(0x95);
    const twice = await scene.inside({ version: 5, clientId: 'sensor-1:b' });
    twice.send(connectPacket({ version: 5 }));
    expect((await twice.next(DISCONNECT)).content[0]).toBe(0x82);
    const three = await scene.inside({ version: 5, clientId: 'sensor-1:c' });
    three.send(publishPacket(5, 'plant/sensor-1/a', { qos: 3 }));
    expect((await three.next(DISCONNECT)).content[0]).toBe(0x81);

    const token = await scene.token({ client_id: 'many', sub: 'many' });
    for (const n of [1, 2, 3]) await scene.inside({ version: 5, token, clientId: `many:${n}` });
    expect((await scene.connect({ version: 5, token, clientId: 'many:4' })).code).toBe(0x97);
    good.send(publishPacket(5, 'plant/good/a', { qos: 1 }));
    await good.next(PUBACK);
  });

  it('a client that does not read stops the broker, and gets everything once it reads again', async () => {
    await open({ brokerSettings: 'allow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0' });
    const room = await watcher();
    const client = await scene.inside({ version: 5 });
    room.socket.pause();
    const payload = Buffer.alloc(32_768, 'x');
    const count = 400;
    for (let i = 1; i <= count; i++)
      client.send(publishPacket(5, 'plant/sensor-1/a', { qos: 1, packetId: i, payload }));
    while (client.received.filter(({ type }) => type === PUBACK).length < count) await sleep(10);
    const [waiting] = [...scene.sessions];
    expect(waiting).toBeDefined();
    room.socket.resume();
    await expect.poll(() => topicsOf(room).length, { timeout: 15_000 }).toBe(count);
  });

  it('a Will that the next token would not have let in is not published, whoever ends the connection', async () => {
    await open();
    const room = await watcher();
    const will = { topic: 'plant/sensor-1/will', flags: 4, properties: [], payload: Buffer.from('gone') };
    const client = await scene.inside({ version: 5, ace: true, will });
    client.send(authPacket(await scene.token({ scope: 'mqtt.sub:news/+' })));
    expect((await client.next(DISCONNECT)).content[0]).toBe(0x87);
    client.socket.destroy();
    await sleep(300);
    expect(topicsOf(room)).toEqual([]);
  });

  it('who has proved nothing yet leaves little here', async () => {
    await open({ limits: { packetBytes: 1_048_576 } });
    const client = await openRawClient(scene.port);
    // A CONNECT of 200,000 bytes.
    client.send(Buffer.from([0x10, 0xc0, 0x9a, 0x0c]));
    await client.closed(1000);
  });

  it('when the broker goes its clients are told, and new ones get in once it is back', async () => {
    await open();
    const client = await scene.inside({ version: 5 });
    const { port } = scene.broker;
    await scene.broker.stop();
    await client.closed();
    expect((await scene.connect({ version: 5, token: await scene.token() })).code).toBe(0x88);
    expect((await scene.connect({ version: 4, token: await scene.token() })).code).toBe(3);
    const back = await startMosquitto(undefined, port);
    try {
      const again = await scene.inside({ version: 4 });
      again.send(publishPacket(4, 'plant/sensor-1/a', { qos: 1 }));
      await again.next(PUBACK);
    } finally {
      await back.stop();
    }
  });
});

/** The same SUBSCRIBE, for QoS 2. */
function withQos2(packet: Buffer): Buffer {
  const changed = Buffer.from(packet);
  changed[changed.length - 1] = 2;
  return changed;
}
