// The whole way with programs that nobody here wrote: libcoap's clients on OpenSSL and on GnuTLS, a CoAP server of libcoap behind the
// guard, and an authority in a process of its own. RFC 9200 §5.10, RFC 9202 §3.3.
import { createSocket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import { ACE, type CborMap, decodeStrict } from '@countersign/cose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILT, LOCK } from '../test/authority.ts';
import {
  ALERTS,
  CLIENTS,
  type CoapRun,
  codesIn,
  clientPorts,
  LIBCOAP,
  runCoap,
  until,
} from '../test/coap-client.ts';
import { type CoapScene, openCoapScene } from '../test/coap-scene.ts';
import { TestClient } from '../test/test-client.ts';
import { openRelay, type UdpRelay } from '../test/udp-relay.ts';
import { createCoapGuard, type CoapRequest } from './index.ts';
import { CODE, OPTION, readCoap, TYPE, writeCoap } from './message/coap-message.ts';

function hintsIn(out: string): CborMap | undefined {
  const hex = /Content-Format:(?:19|application\/ace\+cbor)[^\n]*\n<<([0-9a-f]+)>>/.exec(out)?.[1];
  const read = decodeStrict(Buffer.from(hex ?? '', 'hex'));
  return read.ok ? (read.value as CborMap) : undefined;
}

const READY = BUILT && LIBCOAP;
if (!READY && process.env['COUNTERSIGN_REQUIRE'] === 'all') throw new Error('needs a build and libcoap3-bin');

// A hundred clients and an authority on two cores: whoever else works on them makes it slow.
describe.skipIf(!READY)('a device (needs a build, and libcoap3-bin)', { timeout: 90_000 }, () => {
  let scene: CoapScene;
  beforeAll(async () => {
    scene = await openCoapScene();
  });
  afterAll(() => scene.stop());

  const observing = (
    client: string,
    token: Parameters<CoapScene['request']>[1],
    path = '/time',
    more: readonly string[] = [],
  ): CoapRun => scene.request(client, token, path, ['-s', '300', '-B', '300', ...more]);

  // Beside one another: most of it is waiting for what ends by itself.
  describe.concurrent.each(CLIENTS)('with %s', (client) => {
    it('gets 2.05 for what its scope opens, 4.03 for another resource and 4.05 for another method', async () => {
      const device = await scene.authority.device('lamp', ['lock:read']);
      const token = await scene.authority.token(device);
      expect(codesIn(await scene.upload(token.token))).toContain('2.01');
      const good = await scene.request(client, token, '/time').ended;
      expect(codesIn(good.out)).toEqual(['2.05']);
      const other = await scene.request(client, token, '/async').ended;
      expect(codesIn(other.out)).toEqual(['4.03']);
      const put = await scene.request(client, token, '/example_data', ['-B', '3', '-m', 'put', '-e', 'x'])
        .ended;
      expect(codesIn(put.out)).toEqual(['4.05']);
      expect(hintsIn(put.out)?.get(9)).toBe('lock:write');
      // A block of a longer answer is asked for, and let through, by itself.
      const long = await scene.request(client, token, '/example_data').ended;
      expect(new Set(codesIn(long.out))).toEqual(new Set(['2.05']));
    });

    it('may write with the scope for it', async () => {
      const token = await scene.authority.token(await scene.authority.device('writer', ['lock:write']));
      await scene.upload(token.token);
      const put = await scene.request(client, token, '/example_data', ['-B', '3', '-m', 'put', '-e', 'hello'])
        .ended;
      expect(codesIn(put.out)[0]).toMatch(/^2\.0[14]$/);
    });

    it('that has a wrong key is told so by an alert, and so is who goes by no known identity', async () => {
      const token = await scene.authority.token(await scene.authority.device('lamp', ['lock:read']));
      await scene.upload(token.token);
      const wrong = await scene.request(client, { kid: token.kid, key: Buffer.from('k'.repeat(32)) }, '/time')
        .ended;
      expect(wrong.out).toContain(ALERTS[client].wrongKey);
      const nobody = await scene.request(client, { kid: Buffer.from('nobody'), key: token.key }, '/time')
        .ended;
      expect(nobody.out).toContain(ALERTS[client].nobody);
      expect(codesIn(wrong.out + nobody.out)).toEqual([]);
      const good = await scene.request(client, token, '/time').ended;
      expect(codesIn(good.out)).toEqual(['2.05']);
    });

    it('that has had the key of another client, by its name, is refused and harms nobody', async () => {
      const { authority } = scene;
      const [victim, thief] = [
        await authority.device('victim', ['lock:read']),
        await authority.device('thief', ['lock:read']),
      ];
      const [theirs, own] = [await authority.token(victim), await authority.token(thief)];
      await scene.upload(theirs.token);
      await scene.upload(own.token);
      const live = observing(client, theirs);
      await until(() => codesIn(live.out()).includes('2.05'));
      const stolen = await scene.request(client, { kid: theirs.kid, key: own.key }, '/time').ended;
      expect(stolen.out).toContain(ALERTS[client].wrongKey);
      // At the authority: another's client_id with a secret of one's own.
      const asked = await authority.ask({ ...thief, clientId: victim.clientId }, [[ACE.audience, LOCK]]);
      expect([asked.status, asked.map.get(ACE.error)]).toEqual([401, 2]);
      const seen = codesIn(live.out()).length;
      await until(() => codesIn(live.out()).length > seen);
      live.child.kill('SIGTERM');
      await live.ended;
    });

    it('is ended with its token: observers hear 4.01, and the association is closed', async () => {
      const device = await scene.authority.device('short', ['lock:read'], { tokenLifetime: 12 });
      const token = await scene.authority.token(device);
      await scene.upload(token.token);
      const other = await scene.authority.token(await scene.authority.device('long', ['lock:read']));
      await scene.upload(other.token);
      const [live, beside] = [observing(client, token), observing(client, other)];
      await until(() => codesIn(live.out()).includes('2.05') && codesIn(beside.out()).includes('2.05'));
      await until(() => codesIn(live.out()).includes('4.01'), 30_000);
      expect(scene.events).toContainEqual({ kind: 'session_ended', sub: device.clientId, why: 'expired' });
      const again = await scene.request(client, token, '/time').ended;
      expect(again.out).toContain(ALERTS[client].nobody);
      const late = await scene.upload(token.token);
      expect(codesIn(late)).toContain('4.01');
      const seen = codesIn(beside.out()).length;
      await until(() => codesIn(beside.out()).length > seen);
      for (const run of [live, beside]) run.child.kill('SIGTERM');
      await Promise.all([live.ended, beside.ended]);
    });

    it('gets through where the first of everything is lost', async () => {
      const token = await scene.authority.token(await scene.authority.device('far', ['lock:read']));
      await scene.upload(token.token);
      const lost = new Set(['to_client 1', 'to_server 2']);
      const relay = await openRelay(scene.dtls, (direction, index) => lost.has(`${direction} ${index}`));
      const run = await scene.request(client, token, '/time', ['-B', '20'], relay.port).ended;
      expect(codesIn(run.out)).toEqual(['2.05']);
      await relay.close();
    });
  });

  it.each(['TLS_PSK_WITH_AES_128_CCM_8', 'TLS_PSK_WITH_AES_128_GCM_SHA256'] as const)(
    'speaks %s, which both clients know, and what is played back reaches nobody',
    async (suite) => {
      const served: CoapRequest[] = [];
      const { authority } = scene;
      const own = await authority.device('another lock', ['tokens:derive']);
      const { createClient } = await import('@countersign/client');
      const keys = createClient({
        issuer: authority.issuer,
        clientId: own.clientId,
        clientSecret: own.clientSecret,
        fetch: authority.fetch,
      });
      const opened: string[] = [];
      const guard = createCoapGuard({
        issuer: authority.issuer,
        audience: LOCK,
        keys,
        fetch: authority.fetch,
        permissions: { 'lock:write': [['/door/*', ['PUT']]] },
        upstream(request) {
          served.push(request);
          return { code: 0x44, payload: `${request.method} ${request.path}`, contentFormat: 0 };
        },
        cipherSuites: [suite],
        dtls: { host: '127.0.0.1', port: 0 },
        plain: { host: '127.0.0.1', port: 0 },
        onEvent: (event) => event.kind === 'session_opened' && opened.push(event.cipherSuite),
      });
      const { dtls, plain } = await guard.listen();
      const token = await authority.token(await authority.device('opener', ['lock:write']));
      const put = ['-m', 'post', '-t', '61', '-B', '3', '-f', '-', `coap://127.0.0.1:${plain}/authz-info`];
      await runCoap('coap-client-notls', put, token.token).ended;
      const relays: UdpRelay[] = [];
      for (const client of CLIENTS) {
        // One each: the answers to what the first one's relay plays back are not for the second.
        const relay = await openRelay(dtls);
        relays.push(relay);
        const before = served.length;
        const run = await scene.request(
          client,
          token,
          '/door/1',
          ['-B', '3', '-m', 'put', '-e', 'open'],
          relay.port,
        ).ended;
        expect(codesIn(run.out), run.out).toEqual(['2.04']);
        expect(served.length).toBe(before + 1);
        expect(served.at(-1)?.claims.scope).toBe('lock:write');
        for (let times = 0; times < 3; times++) for (const datagram of relay.heard) await relay.say(datagram);
      }
      await sleep(300);
      expect(served.length).toBe(2);
      expect(opened).toEqual([suite, suite]);
      for (const relay of relays) await relay.close();
      await guard.close();
      await keys.close();
    },
    90_000,
  );

  it('in the middle of a live session, what is played back is not served again', async () => {
    const token = await scene.authority.token(await scene.authority.device('observer', ['lock:read']));
    await scene.upload(token.token);
    const relay = await openRelay(scene.dtls);
    const live = scene.request('coap-client-openssl', token, '/time', ['-s', '20', '-B', '20'], relay.port);
    await until(() => codesIn(live.out()).length >= 2);
    const said = relay.heard.length;
    for (const datagram of relay.heard.slice()) await relay.say(datagram);
    await until(() => codesIn(live.out()).length >= 4);
    // Each answer to what was played back would have made the client acknowledge or reset something.
    expect(relay.heard.length - said).toBeLessThan(6);
    live.child.kill('SIGTERM');
    await live.ended;
    await relay.close();
  });

  it('without DTLS is told where tokens come from, for which audience and scope', async () => {
    const run = await runCoap('coap-client-notls', [
      '-B',
      '3',
      '-v',
      '6',
      `coap://127.0.0.1:${scene.plain}/time`,
    ]).ended;
    expect(codesIn(run.out)).toEqual(['4.01']);
    expect(hintsIn(run.out)).toEqual(
      new Map<number, string>([
        [1, `${scene.authority.issuer}/oauth/token`],
        [5, LOCK],
        [9, 'lock:read'],
      ]),
    );
  });

  it('may show the token itself in the handshake, in one piece or in many', async () => {
    for (const fragmentBytes of [1200, 100]) {
      const token = await scene.authority.token(await scene.authority.device('lamp', ['lock:read']));
      const client = new TestClient({ identity: token.token, key: token.key, fragmentBytes });
      const socket = createSocket('udp4');
      const send = (datagram: Uint8Array): void => socket.send(datagram, scene.dtls, '127.0.0.1');
      socket.on('message', (datagram) => client.receive(datagram).forEach(send));
      send(client.start());
      await until(() => client.isDone);
      const head = { type: TYPE.confirmable, code: CODE.get, messageId: 9, token: new Uint8Array(0) };
      const options = [{ number: OPTION.uriPath, value: Buffer.from('time') }];
      send(client.seal(writeCoap({ ...head, options, payload: new Uint8Array(0) })));
      await until(() => client.received.length > 0);
      expect(readCoap(client.received[0] as Buffer)?.code).toBe(CODE.content);
      socket.close();
    }
  });

  it('with a token for another resource server gets 4.03, and no session', async () => {
    const other = 'coaps://other.test';
    await scene.authority.admin('POST', '/resource-servers', {
      identifier: other,
      name: 'other',
      scopes: [{ name: 'lock:read' }],
      token: { format: 'cwt' },
    });
    const device = await scene.authority.device('lost', ['lock:read'], { resource: other });
    const token = await scene.authority.token(device, undefined, other);
    expect(codesIn(await scene.upload(token.token))).toContain('4.03');
    const run = await scene.request('coap-client-openssl', token, '/time').ended;
    expect(run.out).toContain(ALERTS['coap-client-openssl'].nobody);
  });

  it('with something else than a token gets 4.00 or 4.01', async () => {
    const token = await scene.authority.token(await scene.authority.device('lamp', ['lock:read']));
    const forged = Uint8Array.from(token.token);
    forged[forged.length - 1] = (forged.at(-1) as number) ^ 1;
    expect(codesIn(await scene.upload(forged))).toContain('4.01');
    expect(codesIn(await scene.upload(Buffer.from('no token')))).toContain('4.00');
  });

  it('is ended by a cut-off in the middle of its session, 100 times', async () => {
    const device = await scene.authority.device('many', ['lock:read']);
    const took: number[] = [];
    const runs: { readonly run: CoapRun; readonly jti: string }[] = [];
    const ports = await clientPorts(100);
    for (const [i, port] of ports.entries()) {
      const token = await scene.authority.token(device);
      await scene.bring(token.token);
      // What changes only when somebody writes: a hundred clients that print the time would measure themselves.
      const run = observing(CLIENTS[i % 2] as string, token, '/example_data', [
        '-a',
        '127.0.0.1',
        '-p',
        `${port}`,
      ]);
      runs.push({ run, jti: token.jti });
      if (i % 10 === 9)
        await until(
          () => runs.every(({ run }) => codesIn(run.out()).includes('2.05')),
          30_000,
          () => `${i}`,
        );
    }
    for (const { run, jti } of runs) {
      const begun = performance.now();
      await scene.authority.admin('POST', '/cutoffs', { kind: 'token', id: jti, reason: 'a test' });
      await until(
        () => codesIn(run.out()).includes('4.01'),
        10_000,
        () => `${took.length}: ${run.out().slice(-600)}`,
      );
      took.push(performance.now() - begun);
      run.child.kill('SIGTERM');
    }
    took.sort((a, b) => a - b);
    const at = (part: number): string => (took[Math.ceil(took.length * part) - 1] as number).toFixed(0);
    console.log(
      `CoAP: from an order to the client's 4.01, ${took.length} sessions: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
    );
    await Promise.all(runs.map(({ run }) => run.ended));
  }, 400_000);

  it.each(['identity', 'credential'] as const)(
    'is ended by a cut-off of its %s, and others go on',
    async (kind) => {
      const device = await scene.authority.device('one', ['lock:read']);
      const token = await scene.authority.token(device);
      const other = await scene.authority.token(await scene.authority.device('other', ['lock:read']));
      for (const each of [token, other]) await scene.upload(each.token);
      const [live, beside] = [observing(CLIENTS[0], token), observing(CLIENTS[1], other)];
      await until(() => codesIn(live.out()).includes('2.05') && codesIn(beside.out()).includes('2.05'));
      const id = kind === 'identity' ? device.id : device.credential;
      await scene.authority.admin('POST', '/cutoffs', { kind, id, reason: 'a test' });
      await until(() => codesIn(live.out()).includes('4.01'));
      expect(scene.events).toContainEqual({ kind: 'session_ended', sub: device.clientId, why: 'cut_off' });
      const seen = codesIn(beside.out()).length;
      await until(() => codesIn(beside.out()).length > seen);
      for (const run of [live, beside]) run.child.kill('SIGTERM');
      await Promise.all([live.ended, beside.ended]);
    },
    90_000,
  );
});
