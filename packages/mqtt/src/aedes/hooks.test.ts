// The hooks in a real aedes, which nobody here wrote; packets by hand.
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import type { Watched } from '@countersign/resource-server';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadAedes, PEER_TIMEOUT_MS } from '../../test/aedes-peer.ts';
import { type AedesScene, openAedesScene } from '../../test/aedes-scene.ts';
import { testCertificate } from '../../test/certificate.ts';
import {
  connectPacket,
  GOODBYE,
  openRawClient,
  publishPacket,
  type RawClient,
  subscribePacket,
} from '../../test/raw-client.ts';
import { Cursor } from '../wire/data-types.ts';
import { CONNACK, PUBACK, PUBLISH, SUBACK } from '../wire/packet-type.ts';

beforeAll(() => loadAedes(), PEER_TIMEOUT_MS);

const topicsOf = (client: RawClient): readonly string[] =>
  client.received
    .filter(({ type }) => type === PUBLISH)
    .map(({ content }) => new Cursor(content, 0, content.length).text());

/** A client that is delivered everything of the plant. */
async function watcher(scene: AedesScene, clientId = 'room'): Promise<RawClient> {
  const token = await scene.token({ client_id: 'room', sub: 'room', scope: 'mqtt.sub:plant/#' });
  const client = await scene.inside({ clientId, token });
  client.send(subscribePacket(4, 1, 'plant/#'));
  await client.next(SUBACK);
  return client;
}

it('a client publishes where its scopes say, and gets what it subscribed to; a filter that no scope covers is refused alone', async (context) => {
  const scene = await openAedesScene(context);
  const client = await scene.inside();
  const filters = [
    'plant/sensor-1/cmd',
    'news/+',
    'plant/#',
    '#',
    '$SYS/#',
    '$share/g/news/+',
    'plant/+/x',
    'news/a',
  ];
  client.send(subscribePacket(4, 7, ...filters));
  expect([...(await client.next(SUBACK)).content.subarray(2)]).toEqual([1, 1, 128, 128, 128, 128, 128, 1]);
  client.send(publishPacket(4, 'plant/sensor-1/cmd', { qos: 1, packetId: 9 }));
  expect((await client.next(PUBACK)).content.readUInt16BE(0)).toBe(9);
  await expect.poll(() => topicsOf(client)).toEqual(['plant/sensor-1/cmd']);
  expect(scene.events.map(({ type }) => type)).toEqual([
    'accepted',
    ...Array.from({ length: 5 }, () => 'denied'),
  ]);
});

describe('refused with the code of MQTT 3.1.1', () => {
  it.for([
    ['for another audience', { aud: 'https://other.example' }, 4, 'wrong_audience'],
    ['that has expired', { exp: 1, iat: 0 }, 4, 'expired'],
    ['without a topic', { scope: 'read' }, 5, 'no_topics'],
    ['that is bound to a key', { cnf: { jkt: 'k'.repeat(43) } }, 4, 'bound_token_as_bearer'],
    ['that is bound to a certificate', { cnf: { 'x5t#S256': 'k'.repeat(43) } }, 4, 'certificate_missing'],
  ] as const)('a token %s', async ([, claims, code, reason], context) => {
    const scene = await openAedesScene(context);
    const answer = await scene.connect({ token: await scene.token(claims) });
    expect(answer.code).toBe(code);
    await answer.client.closed();
    expect(scene.events).toMatchObject([{ type: 'refused', reason, clientId: 'sensor-1' }]);
  });

  it('no token, another key’s signature, and a cut-off identity; aedes is told why', async (context) => {
    const scene = await openAedesScene(context);
    const told: unknown[] = [];
    scene.broker.on('clientError', ((_client: unknown, { reason }: { reason: unknown }) =>
      told.push(reason)) as never);
    expect((await scene.connect()).code).toBe(4);
    const token = await scene.token();
    expect((await scene.connect({ token: `${token.slice(0, -8)}AAAAAAAA` })).code).toBe(4);
    await scene.issuer.cutOff({ kind: 'identity', id: 'sensor-1' });
    expect((await scene.connect({ token })).code).toBe(5);
    await expect.poll(() => told).toEqual(['no_token', 'bad_signature', 'cut_off']);
  });

  it('the client identifier of another, who stays connected', async (context) => {
    const scene = await openAedesScene(context);
    const victim = await scene.inside();
    const token = await scene.token({ client_id: 'thief', sub: 'thief' });
    for (const clientId of ['sensor-1', 'sensor-1:a', 'aedes_1', 'constructor']) {
      expect((await scene.connect({ token, clientId })).code).toBe(2);
    }
    victim.send(publishPacket(4, 'plant/sensor-1/a', { qos: 1 }));
    await victim.next(PUBACK);
    expect(victim.isClosed).toBe(false);
  });

  it('a Will on a topic of another, MQTT 5, and one connection too many until another has left', async (context) => {
    const scene = await openAedesScene(context, { hooks: { connectionsPerIdentity: 2 } });
    const token = await scene.token();
    const will = { topic: 'plant/sensor-2/a', flags: 4, properties: [], payload: Buffer.from('x') };
    expect((await scene.connect({ token, will })).code).toBe(5);
    expect((await scene.connect({ version: 5, token })).code).toBe(1);
    const first = await scene.inside({ clientId: 'sensor-1:a' });
    await scene.inside({ clientId: 'sensor-1:b' });
    expect((await scene.connect({ token, clientId: 'sensor-1:c' })).code).toBe(3);
    first.socket.destroy();
    await expect.poll(async () => (await scene.connect({ token, clientId: 'sensor-1:c' })).code).toBe(0);
  });
});

it('a client that leaves its name to the broker gets one of its identity, but no session that outlives it', async (context) => {
  const scene = await openAedesScene(context);
  await scene.inside({ clientId: '' });
  expect(Object.keys(scene.broker.clients)).toEqual([expect.stringMatching(/^sensor-1:[\w-]{16}$/)]);
  const { code } = await scene.connect({ clientId: '', clean: false, token: await scene.token() });
  expect(code).toBe(2);
});

it.for([0, 1, 2] as const)(
  'a message of QoS %s that no scope covers ends the connection, without an acknowledgement, and reaches nobody',
  async (qos, context) => {
    const scene = await openAedesScene(context);
    const room = await watcher(scene);
    const client = await scene.inside();
    client.send(
      publishPacket(4, 'plant/sensor-2/a', { qos, retain: true }),
      publishPacket(4, 'plant/sensor-2/b', { qos, packetId: 2 }),
    );
    await client.closed();
    expect(client.received.map(({ type }) => type)).toEqual([CONNACK]);
    const late = await watcher(scene, 'room:late');
    await sleep(100);
    expect([topicsOf(room), topicsOf(late)]).toEqual([[], []]);
    await expect
      .poll(() => scene.events.filter(({ type }) => type === 'ended'))
      .toMatchObject([{ reason: 'publish_denied', identity: 'sensor-1' }]);
  },
);

it('the topics by which a broker tells others whom to throw out are nobody’s, whatever the scope', async (context) => {
  const scene = await openAedesScene(context);
  const victim = await scene.inside({ clientId: 'sensor-1:victim' });
  const client = await scene.inside({ token: await scene.token({ scope: 'mqtt.pub:$SYS/#' }) });
  client.send(publishPacket(4, '$SYS/other/new/clients', { payload: 'sensor-1:victim' }));
  await client.closed();
  await sleep(100);
  expect(victim.isClosed).toBe(false);
});

it('a token that expires closes its connection, and so does a cut-off; the Will of who was cut off is not published, and others go on', async (context) => {
  const scene = await openAedesScene(context);
  const will = (n: number) => ({
    topic: `plant/sensor-1/will-${n}`,
    flags: 4,
    properties: [],
    payload: Buffer.from('gone'),
  });
  const room = await watcher(scene);
  const exp = Math.floor(Date.now() / 1000) + 2;
  const expires = await scene.inside({
    clientId: 'sensor-1:a',
    will: will(1),
    token: await scene.token({ exp }),
  });
  const polite = await scene.inside({ clientId: 'sensor-1:b', will: will(2) });
  polite.send(GOODBYE);
  await expires.closed();
  const cut = await scene.inside({ clientId: 'sensor-1:c', will: will(3) });
  const token = await scene.token({ client_id: 'sensor-2', sub: 'sensor-2' });
  const other = await scene.inside({ clientId: 'sensor-2', token });
  await scene.issuer.cutOff({ kind: 'identity', id: 'sensor-1' });
  await cut.closed();
  other.send(publishPacket(4, 'plant/sensor-2/a', { qos: 1 }));
  await other.next(PUBACK);
  await expect.poll(() => topicsOf(room)).toEqual(['plant/sensor-1/will-1', 'plant/sensor-2/a']);
  const ended = scene.events.filter(({ type }) => type === 'ended');
  expect(new Set(ended.map(({ reason }) => reason))).toEqual(new Set(['expired', 'left', 'cut_off']));
});

it('what an older session subscribed to, or aedes noted beside what was granted, is withheld', async (context) => {
  const scene = await openAedesScene(context);
  const wide = await scene.token({ scope: 'mqtt.sub:plant/#' });
  const before = await scene.inside({ clean: false, token: wide });
  // Of this one aedes remembers both filters, though the second was refused.
  before.send(subscribePacket(4, 1, 'plant/#', 'secret/#'));
  expect([...(await before.next(SUBACK)).content.subarray(2)]).toEqual([1, 128]);
  before.send(GOODBYE);
  await before.closed();
  const other = await scene.inside({
    clientId: 'sensor-2',
    token: await scene.token({ client_id: 'sensor-2', sub: 'sensor-2', scope: 'mqtt.pub:#' }),
  });
  const publish = async (...topics: readonly string[]): Promise<void> => {
    for (const [at, topic] of topics.entries()) {
      other.send(publishPacket(4, topic, { qos: 1, packetId: at + 1 }));
      await other.next(PUBACK);
    }
  };
  await publish('plant/hidden', 'secret/a', 'plant/sensor-1/a');
  const narrow = await scene.token({ scope: 'mqtt.sub:plant/{client}/#' });
  const after = await scene.inside({ clean: false, token: narrow });
  await after.next(PUBLISH);
  // The wide subscription is not taken up again.
  after.send(subscribePacket(4, 1, 'plant/sensor-1/#'));
  await after.next(SUBACK);
  await publish('plant/hidden', 'secret/a', 'plant/sensor-1/b');
  await expect.poll(() => topicsOf(after)).toEqual(['plant/sensor-1/a', 'plant/sensor-1/b']);
  expect(scene.events.filter(({ type }) => type === 'withheld').length).toBeGreaterThanOrEqual(2);
});

it('a token that is bound to a certificate opens with that certificate, and to nobody who has only the token', async (context) => {
  const server = testCertificate('localhost');
  const scene = await openAedesScene(context, {
    tls: { cert: server.cert, key: server.key, requestCert: true },
  });
  const [own, other] = [testCertificate('sensor-1'), testCertificate('thief')];
  const token = await scene.token({ cnf: { 'x5t#S256': own.thumbprint } });
  const with_ = async (shown: { cert: string; key: string } | undefined): Promise<number> => {
    const client = await openRawClient(scene.port, (at) =>
      connectTls({ ...(at as object), ca: server.cert, servername: 'localhost', ...shown } as never),
    );
    client.send(connectPacket({ version: 4, token }));
    const { content } = await client.next(CONNACK);
    client.socket.destroy();
    return content[1] as number;
  };
  expect([await with_(undefined), await with_(other), await with_(own)]).toEqual([4, 4, 0]);
});

it('a verifier that closes takes its clients with it', async (context) => {
  const scene = await openAedesScene(context);
  const client = await scene.inside();
  await scene.verifier.close();
  await client.closed();
  expect((await scene.connect({ token: await scene.token() })).code).toBe(3);
});

describe('what goes wrong lets nobody in', () => {
  it('a broker that was not given every hook', async (context) => {
    const scene = await openAedesScene(context, { choose: ({ preConnect: _preConnect, ...rest }) => rest });
    expect((await scene.connect({ token: await scene.token() })).code).toBe(3);
  });

  it('a bug while a token is looked at is no fault of the client’s', async (context) => {
    const verifier = { watch: () => Promise.reject(new Error('broken')) };
    const scene = await openAedesScene(context, { hooks: { verifier } });
    expect((await scene.connect({ token: 'a.b.c' })).code).toBe(3);
  });

  it('a log that throws changes nothing', async (context) => {
    const onEvent = (): never => {
      throw new Error('full');
    };
    const scene = await openAedesScene(context, { hooks: { onEvent } });
    const client = await scene.inside();
    client.send(publishPacket(4, 'plant/sensor-2/a', { qos: 1 }));
    await client.closed();
  });

  it('a client that hangs up while its token is looked at, or whose token ends meanwhile, keeps no place', async (context) => {
    let looked = (): void => undefined;
    const looking = new Promise<void>((resolve) => {
      looked = resolve;
    });
    const scene: AedesScene = await openAedesScene(context, {
      hooks: {
        connectionsPerIdentity: 1,
        verifier: {
          async watch(...args) {
            const watched = await scene.verifier.watch(...args);
            await looking;
            return watched;
          },
        },
      },
    });
    const token = await scene.token();
    const hasty = await openRawClient(scene.port);
    hasty.send(connectPacket({ version: 4, token }));
    await sleep(100);
    hasty.socket.destroy();
    await sleep(100);
    looked();
    expect((await scene.connect({ token })).code).toBe(0);
    expect(scene.broker.connectedClients).toBe(1);
  });

  it('whenever a token ends before CONNACK is sent, the broker keeps nothing of its client', async (context) => {
    let end = new AbortController();
    let turns = 0;
    const scene: AedesScene = await openAedesScene(context, {
      hooks: {
        verifier: {
          async watch(...args) {
            const watched = await scene.verifier.watch(...args);
            return watched.ok ? { ...lookalike(watched), signal: end.signal } : watched;
          },
        },
        async onEvent({ type }) {
          if (type !== 'accepted') return;
          for (let turn = 0; turn < turns; turn++) await Promise.resolve();
          end.abort({ ok: false, reason: 'cut_off' });
        },
      },
    });
    const token = await scene.token();
    for (turns = 0; turns < 30; turns++) {
      end = new AbortController();
      const client = await openRawClient(scene.port);
      client.send(connectPacket({ version: 4, token, clientId: `sensor-1:${turns}` }));
      await client.closed();
    }
    await expect.poll(() => Object.keys(scene.broker.clients)).toEqual([]);
    end = new AbortController();
    end.abort({ ok: false, reason: 'cut_off' });
    expect((await scene.connect({ token })).code).toBe(5);
  });
});

/** Its members without their object, which has private ones. */
function lookalike(watched: Watched): Watched {
  const { ok, claims, scopes, signal, headers } = watched;
  return {
    ok,
    claims,
    scopes,
    signal,
    ...(headers === undefined ? {} : { headers }),
    renew: (...args) => watched.renew(...args),
    used: (...args) => watched.used(...args),
    stop: () => watched.stop(),
  };
}
