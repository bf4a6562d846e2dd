// Clients that have proved nothing yet: how many there are at once, before a real Mosquitto.
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { testCertificate } from '../test/certificate.ts';
import { MOSQUITTO } from '../test/mosquitto.ts';
import { type MqttScene, openMqttScene, type SceneOptions } from '../test/mqtt-scene.ts';
import { connectPacket, openRawClient, type RawClient } from '../test/raw-client.ts';
import { CONNACK } from './wire/packet-type.ts';

const HONEST = '127.0.0.2';

describe.runIf(MOSQUITTO !== undefined)('before a real Mosquitto (needs mosquitto)', () => {
  let scene: MqttScene;
  const opened: RawClient[] = [];
  const open = async (options: SceneOptions): Promise<MqttScene> => (scene = await openMqttScene(options));
  afterEach(async () => {
    for (const { socket } of opened.splice(0)) socket.destroy();
    const { bugs } = scene;
    await scene.close();
    expect(bugs).toEqual([]);
  });
  const from = async (localAddress: string): Promise<RawClient> => {
    const client = await openRawClient(scene.port, ((at: object) =>
      connect({ ...at, localAddress } as never)) as typeof connect);
    opened.push(client);
    return client;
  };
  /** Many at once from one address. */
  const flood = (count: number, localAddress: string): Promise<RawClient[]> =>
    Promise.all(Array.from({ length: count }, () => from(localAddress)));
  const refused = (reason: string): number =>
    [...scene.ledger.counts().refused].find(([each]) => each === reason)?.[1] ?? 0;
  const untilDecided = async (count: number): Promise<void> => {
    const all = (): number =>
      [...scene.ledger.counts().refused.values()].reduce((sum, each) => sum + each, 0);
    for (let i = 0; i < 400 && all() < count; i++) await sleep(5);
    expect(all()).toBe(count);
  };
  const untilRefused = async (reason: string, count: number): Promise<void> => {
    for (let i = 0; i < 400 && refused(reason) < count; i++) await sleep(5);
    expect(refused(reason)).toBe(count);
  };

  describe('over TLS', () => {
    const server = testCertificate('localhost');
    const tls = { cert: server.cert, key: server.key, requestCert: false };
    const honestCode = async (): Promise<number> => {
      const client = await openRawClient(scene.port, ((at: object) =>
        connectTls({
          ...at,
          localAddress: HONEST,
          ca: server.cert,
          servername: 'localhost',
        } as never)) as never);
      opened.push(client);
      client.send(connectPacket({ version: 5, token: await scene.token() }));
      return (await client.next(CONNACK)).content[1] as number;
    };

    it('handshakes of one address are so many at once, the others are closed, and who comes from elsewhere gets in', async () => {
      await open({ tls, limits: { connections: 30, handshakes: 20, handshakesPerAddress: 5 } });
      const flooding = await flood(30, '127.0.0.1');
      await untilRefused('too_many_handshakes', 25);
      expect(flooding.filter(({ isClosed }) => !isClosed)).toHaveLength(5);
      expect(await honestCode()).toBe(0);
    });

    it('where all places are taken, one of the address that has most of them gives way', async () => {
      await open({ tls, limits: { handshakes: 20, handshakesPerAddress: 5 } });
      for (const last of [3, 4, 5, 6]) await flood(5, `127.0.0.${last}`);
      expect(await honestCode()).toBe(0);
      expect(refused('too_many_handshakes')).toBe(1);
    });

    it('who is through its handshake and sends no CONNECT is still one of them', async () => {
      await open({ tls, limits: { handshakes: 20, handshakesPerAddress: 5 } });
      for (let i = 0; i < 7; i++) {
        const socket = connectTls({
          host: '127.0.0.1',
          port: scene.port,
          ca: server.cert,
          servername: 'localhost',
        });
        socket.on('error', () => undefined);
        await new Promise<void>((resolve) => {
          socket.once('secureConnect', resolve).once('close', resolve);
        });
      }
      await untilRefused('too_many_handshakes', 2);
    });
  });

  it('CONNECTs of one address that wait for an answer are so many at once, also where their clients have hung up', async () => {
    let answer: () => void = () => undefined;
    const answered = new Promise<{ readonly active: false }>((resolve) => {
      answer = () => resolve({ active: false });
    });
    await open({
      limits: { connectsWaiting: 10, connectsWaitingPerAddress: 3 },
      verifier: { introspect: { introspect: () => answered } as never },
    });
    const ask = async (i: number): Promise<RawClient> => {
      const client = await from('127.0.0.1');
      client.send(connectPacket({ version: 5, token: `cot_unknown_${i}`, clientId: '' }));
      return client;
    };
    const asking = await Promise.all(Array.from({ length: 8 }, (_, i) => ask(i)));
    await untilRefused('too_many_waiting', 5);
    for (const { socket } of asking) socket.destroy();
    await sleep(50);
    const { isClosed } = await ask(8).then(async (client) => (await client.closed(), client));
    expect([isClosed, refused('too_many_waiting')]).toEqual([true, 6]);

    const honest = await from(HONEST);
    honest.send(connectPacket({ version: 5, token: await scene.token() }));
    expect((await honest.next(CONNACK)).content[1]).toBe(0);

    answer();
    await untilDecided(9);
    const later = await from('127.0.0.1');
    later.send(connectPacket({ version: 5, token: await scene.token() }));
    expect((await later.next(CONNACK)).content[1]).toBe(0);
  });

  it('who was refused and keeps its connection open keeps its place', async () => {
    await open({ limits: { connectsWaitingPerAddress: 3 } });
    for (let i = 0; i < 3; i++) {
      const client = await from('127.0.0.1');
      client.socket.pause();
      client.send(connectPacket({ version: 5, token: 'none' }));
    }
    await untilDecided(3);
    const one = await from('127.0.0.1');
    one.send(connectPacket({ version: 5, token: await scene.token() }));
    await one.closed();
    expect(refused('too_many_waiting')).toBe(1);
  });
});
