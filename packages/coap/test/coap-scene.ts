// A device, an authority, a guard and a CoAP server that nobody here wrote.
import { createSocket } from 'node:dgram';
import { createClient } from '@countersign/client';
import { pskIdentity } from '@countersign/cose';
import { CODE, numberOption, OPTION, readCoap, TYPE, writeCoap } from '../src/message/coap-message.ts';
import { type CoapGuard, type CoapGuardOptions, createCoapGuard, type GuardEvent } from '../src/index.ts';
import { type DeviceToken, LOCK, startAuthority, type TestAuthority } from './authority.ts';
import { type CoapRun, endAll, runCoap, startCoapServer } from './coap-client.ts';

export interface CoapScene {
  readonly authority: TestAuthority;
  readonly guard: CoapGuard;
  readonly dtls: number;
  readonly plain: number;
  readonly events: GuardEvent[];
  /** Brings a token to `/authz-info` with libcoap's client; what it printed. */
  upload(token: Uint8Array): Promise<string>;
  /** The same without a process of its own, for many. */
  bring(token: Uint8Array): Promise<void>;
  /** A request with libcoap's client. `port`: of somebody in between. */
  request(
    client: string,
    token: Pick<DeviceToken, 'kid' | 'key'>,
    path: string,
    more?: readonly string[],
    port?: number,
  ): CoapRun;
  stop(): Promise<void>;
}

export async function openCoapScene(change: Partial<CoapGuardOptions> = {}): Promise<CoapScene> {
  const authority = await startAuthority();
  const server = await startCoapServer();
  const own = await authority.device('lock itself', ['tokens:derive']);
  const events: GuardEvent[] = [];
  const keys = createClient({
    issuer: authority.issuer,
    clientId: own.clientId,
    clientSecret: own.clientSecret,
    fetch: authority.fetch,
  });
  const guard = createCoapGuard({
    issuer: authority.issuer,
    audience: LOCK,
    keys,
    fetch: authority.fetch,
    permissions: {
      'lock:read': [
        ['/time', ['GET']],
        ['/example_data', ['GET']],
      ],
      'lock:write': [['/example_data', ['GET', 'PUT']]],
    },
    upstream: { host: '127.0.0.1', port: server.port },
    dtls: { host: '127.0.0.1', port: 0 },
    plain: { host: '127.0.0.1', port: 0 },
    onEvent: (event) => events.push(event),
    ...change,
  });
  const { dtls, plain = 0 } = await guard.listen();
  return {
    authority,
    guard,
    dtls,
    plain,
    events,
    async upload(token) {
      // Option 12 is the Content-Format: 61, application/cwt.
      const run = runCoap(
        'coap-client-notls',
        ['-m', 'post', '-t', '61', '-B', '3', '-v', '6', '-f', '-', `coap://127.0.0.1:${plain}/authz-info`],
        token,
      );
      return (await run.ended).out;
    },
    async bring(token) {
      const options = [
        { number: OPTION.uriPath, value: Buffer.from('authz-info') },
        numberOption(OPTION.contentFormat, 61),
      ];
      const head = { type: TYPE.confirmable, code: CODE.post, messageId: 1, token: new Uint8Array(0) };
      const socket = createSocket('udp4');
      const answered = new Promise<Buffer>((resolve) => socket.once('message', resolve));
      socket.send(writeCoap({ ...head, options, payload: token }), plain, '127.0.0.1');
      const code = readCoap(await answered)?.code;
      socket.close();
      if (code !== CODE.created) throw new Error(`the token was not taken: ${code}`);
    },
    request(client, { kid, key }, path, more = ['-B', '3'], port = dtls) {
      return runCoap(client, [
        ...more,
        '-v',
        '6',
        '-u',
        pskIdentity(kid),
        '-k',
        key,
        `coaps://127.0.0.1:${port}${path}`,
      ]);
    },
    async stop() {
      endAll();
      await guard.close();
      await keys.close();
      await server.stop();
      await authority.stop();
    },
  };
}
