// An authority in this process, and a broker made with aedes that has our hooks: for tests.
import { createServer, type Server } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { TestContext } from 'vitest';
import { createVerifier, type Verifier } from '@countersign/resource-server';
import { createTestIssuer, type TestClaims, type TestIssuer } from '@countersign/resource-server/testing';
import { type AedesEvent, type AedesHooks, aedesHooks, type AedesHooksOptions } from '../src/aedes/hooks.ts';
import { CONNACK } from '../src/wire/packet-type.ts';
import { type Broker, loadAedes } from './aedes-peer.ts';
import { AUDIENCE, SCOPE } from './mqtt-scene.ts';
import { type ConnectAs, connectPacket, openRawClient, type RawClient } from './raw-client.ts';

export interface AedesScene {
  readonly issuer: TestIssuer;
  readonly verifier: Verifier;
  readonly broker: Broker;
  readonly port: number;
  readonly events: readonly AedesEvent[];
  token(claims?: TestClaims): Promise<string>;
  /** The code of CONNACK; -1 where the connection was closed without one. */
  connect(how?: Partial<ConnectAs>): Promise<{ readonly client: RawClient; readonly code: number }>;
  /** A client that is in: sensor-1 with its scopes, unless `how` says otherwise. */
  inside(how?: Partial<ConnectAs>): Promise<RawClient>;
  close(): Promise<void>;
}

export interface AedesSceneOptions {
  readonly hooks?: Partial<AedesHooksOptions>;
  /** Which hooks the broker gets. */
  readonly choose?: (hooks: AedesHooks) => Partial<AedesHooks>;
  readonly tls?: TlsOptions;
}

/** Where aedes cannot be had the test is skipped with the reason. */
export async function openAedesScene(
  context: TestContext,
  options: AedesSceneOptions = {},
): Promise<AedesScene> {
  const loaded = await loadAedes();
  if ('absent' in loaded) return context.skip(loaded.absent);
  const issuer = await createTestIssuer({ audience: AUDIENCE });
  const verifier = createVerifier({ ...issuer.options, audience: AUDIENCE, leeway: 0 });
  await verifier.ready();
  const events: AedesEvent[] = [];
  const hooks = aedesHooks({ verifier, onEvent: (event) => void events.push(event), ...options.hooks });
  const broker = await loaded.Aedes.createBroker(options.choose?.(hooks) ?? hooks);
  const server: Server =
    options.tls === undefined
      ? createServer(broker.handle)
      : createTlsServer({ ...options.tls, rejectUnauthorized: false }, broker.handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const opened: RawClient[] = [];
  const scene: AedesScene = {
    issuer,
    verifier,
    broker,
    port,
    events,
    token: (claims = {}) => issuer.token({ client_id: 'sensor-1', sub: 'sensor-1', scope: SCOPE, ...claims }),
    async connect(how = {}) {
      const client = await openRawClient(port);
      opened.push(client);
      client.send(connectPacket({ version: 4, ...how }));
      const code = await client.next(CONNACK).then(
        ({ content }) => content[1] as number,
        () => -1,
      );
      return { client, code };
    },
    async inside(how = {}) {
      const { client, code } = await scene.connect({ token: await scene.token(), ...how });
      if (code !== 0) throw new Error(`refused with ${code}`);
      return client;
    },
    async close() {
      for (const { socket } of opened) socket.destroy();
      await new Promise<void>((resolve) => broker.close(resolve));
      await new Promise((resolve) => server.close(resolve));
      await verifier.close();
    },
  };
  context.onTestFinished(() => scene.close());
  return scene;
}
