// An authority in this process, Debian's Mosquitto, and the gateway between: for tests.
import { randomBytes } from 'node:crypto';
import { Arrivals, type ListenerTlsFiles } from '@countersign/daemon';
import { createVerifier, type Verifier, type VerifierOptions } from '@countersign/resource-server';
import { createTestIssuer, type TestClaims, type TestIssuer } from '@countersign/resource-server/testing';
import { createMqttListener } from '../src/listener.ts';
import { createPlaces } from '../src/admission/places.ts';
import { accept } from '../src/relay/accept.ts';
import { openBroker } from '../src/relay/broker.ts';
import type { Session } from '../src/relay/session.ts';
import { WaitingBytes } from '../src/relay/waiting-bytes.ts';
import { createLedger, type Ledger } from '../src/telemetry/ledger.ts';
import { type ConnectAs, connectPacket, openRawClient, type RawClient } from './raw-client.ts';
import { type RunningBroker, startMosquitto } from './mosquitto.ts';
import { CONNACK } from '../src/wire/packet-type.ts';

export const AUDIENCE = 'https://mqtt.example';
/** What sensor-1 holds, unless a test says otherwise. */
export const SCOPE = 'mqtt.pub:plant/{client}/# mqtt.sub:plant/{client}/# mqtt.sub:news/+';

export interface MqttScene {
  readonly issuer: TestIssuer;
  readonly broker: RunningBroker;
  readonly port: number;
  readonly ledger: Ledger;
  readonly sessions: ReadonlySet<Session>;
  /** Errors that were logged as bugs. */
  readonly bugs: readonly unknown[];
  token(claims?: TestClaims): Promise<string>;
  /** Connects by hand; the CONNACK's code is in the second byte. */
  connect(how: ConnectAs): Promise<{ readonly client: RawClient; readonly code: number }>;
  /** A client that is in: sensor-1 with its scopes, unless `how` says otherwise. */
  inside(how: ConnectAs): Promise<RawClient>;
  close(): Promise<void>;
}

export interface SceneOptions {
  readonly verifier?: Partial<VerifierOptions>;
  readonly tls?: ListenerTlsFiles;
  readonly limits?: Partial<{
    packetBytes: number;
    connectTimeout: number;
    connections: number;
    perIdentity: number;
    handshakes: number;
    handshakesPerAddress: number;
    connectsWaiting: number;
    connectsWaitingPerAddress: number;
    willDelay: number;
  }>;
  readonly brokerSettings?: string;
}

export async function openMqttScene(options: SceneOptions = {}): Promise<MqttScene> {
  const issuer = await createTestIssuer({ audience: AUDIENCE });
  const broker = await startMosquitto(options.brokerSettings);
  const verifier: Verifier = createVerifier({
    ...issuer.options,
    audience: AUDIENCE,
    leeway: 0,
    ...options.verifier,
  });
  await verifier.ready();
  const bugs: unknown[] = [];
  const quiet = {
    info: () => undefined,
    warn: () => undefined,
    error: (fields: object) => void bugs.push(fields),
  };
  const ledger = createLedger(quiet, () => performance.now());
  const limits = {
    packetBytes: 65_536,
    connectTimeout: 2,
    connections: 1000,
    perIdentity: 100,
    handshakes: 1000,
    handshakesPerAddress: 250,
    connectsWaiting: 1000,
    connectsWaitingPerAddress: 250,
    willDelay: 0,
    ...options.limits,
  };
  const sessions = new Set<Session>();
  const deps = {
    verifier,
    broker: openBroker({
      host: '127.0.0.1',
      port: broker.port,
      tls: undefined,
      login: undefined,
      connectTimeout: 2,
    }),
    ledger,
    places: createPlaces(limits.perIdentity),
    limits,
    waiting: new WaitingBytes(),
    connects: new Arrivals({ most: limits.connectsWaiting, mostOfOne: limits.connectsWaitingPerAddress }),
    hint: JSON.stringify({ AS: issuer.issuer, audience: AUDIENCE }),
    certificates: false,
    random: () => randomBytes(12).toString('base64url'),
    sessions,
  };
  const listener = createMqttListener({
    tls: options.tls,
    limits,
    arrivals: new Arrivals({ most: limits.handshakes, mostOfOne: limits.handshakesPerAddress }),
    onClient: (client) => void accept(deps, client),
    onTurnedAway: (address) => ledger.refused('too_many_handshakes', address, undefined),
  });
  const port = await listener.listen('127.0.0.1', 0);
  const opened: RawClient[] = [];
  const scene: MqttScene = {
    issuer,
    broker,
    port,
    ledger,
    sessions,
    bugs,
    token: (claims = {}) => issuer.token({ client_id: 'sensor-1', sub: 'sensor-1', scope: SCOPE, ...claims }),
    async connect(how) {
      const client = await openRawClient(port);
      opened.push(client);
      client.send(connectPacket(how));
      const { content } = await client.next(CONNACK);
      return { client, code: content[1] as number };
    },
    async inside(how) {
      const { client, code } = await scene.connect({ token: await scene.token(), ...how });
      if (code !== 0) throw new Error(`refused with ${code}`);
      return client;
    },
    async close() {
      for (const { socket } of opened) socket.destroy();
      listener.close();
      for (const session of sessions) session.end('stopping');
      await verifier.close();
      await broker.stop();
    },
  };
  return scene;
}
