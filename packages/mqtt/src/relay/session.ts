// One client, accepted, with its own connection to the broker: both directions, its rights, and how it ends.
import type { Socket } from 'node:net';
import { endLingering } from '@countersign/protocol/linger';
import type { Refusal, Watched } from '@countersign/resource-server';
import { answerTo, type Reason } from '../admission/reasons.ts';
import type { SessionFigures } from '../telemetry/ledger.ts';
import { type Right, Rights } from '../topics/rights.ts';
import { disconnect, writeAuth } from '../wire/answer.ts';
import type { Connack } from '../wire/connack.ts';
import type { Connect } from '../wire/connect.ts';
import { Malformed } from '../wire/malformed.ts';
import { PacketStream } from '../wire/packet-stream.ts';
import {
  ASSIGNED_CLIENT_IDENTIFIER,
  AUTHENTICATION_METHOD,
  MAXIMUM_PACKET_SIZE,
  numberProperty,
  type Property,
  TOPIC_ALIAS_MAXIMUM,
  writeFourBytes,
  writeText,
} from '../wire/property.ts';
import { PROTOCOL_ERROR, SUCCESS } from '../wire/reason-code.ts';
import { METHOD, renewal } from './credentials.ts';
import { FromBroker } from './from-broker.ts';
import { FromClient } from './from-client.ts';

export interface SessionOptions {
  readonly client: Socket;
  readonly broker: Socket;
  /** As the broker got it. */
  readonly connect: Connect;
  /** Whether the client left its name to the server: MQTT 5.0 §3.2.2.3.7. */
  readonly assigned: boolean;
  readonly method: typeof METHOD | undefined;
  readonly certificate: Uint8Array | undefined;
  readonly watched: Watched;
  readonly rights: Rights;
  readonly maxPacketBytes: number;
  readonly figures: SessionFigures;
  /** Called once; whoever opened the session lets go of its token then. */
  readonly onEnd: (reason: Reason | 'left' | 'malformed') => void;
}

/** Bytes of answers that a client may leave unread before it is not heard any more. */
const MOST_UNREAD = 65_536;

export class Session {
  readonly #options: SessionOptions;
  readonly #fromClient: FromClient;
  readonly #fromBroker: FromBroker;
  readonly #up: PacketStream;
  readonly #down: PacketStream;
  #rights: Rights;
  #renewing = false;
  /** A message was denied that only the end of the connection can answer. */
  #denied = false;
  #over = false;
  /** Whether the broker or the client said that this is the end, so that nobody need say it again. */
  #farewell = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#rights = options.rights;
    const { client, broker, connect, watched, figures, maxPacketBytes: maxBytes } = options;
    const { version } = connect;
    const rights = (): Rights => this.#rights;
    const farewell = (): void => {
      this.#farewell = true;
    };
    this.#fromClient = new FromClient({
      version,
      rights,
      used(right: Right | undefined) {
        watched.used(right?.scope, right !== undefined);
        if (right === undefined) figures.denied();
      },
      answer: (bytes) => this.#answer(bytes),
      endDenied: () => {
        this.#up.end();
        this.#denied = true;
      },
      onAuth: (bytes, body, end) => this.#onAuth(bytes, body, end),
      onDisconnect: farewell,
    });
    this.#fromBroker = new FromBroker({
      version,
      rights,
      acknowledge: (bytes) => this.#write(broker, broker, bytes),
      withheld: figures.withheld,
      onDisconnect: farewell,
      onConnack: (connack) => this.#onConnack(connack),
      mergedCodes: (packetId, codes) => this.#fromClient.mergedCodes(packetId, codes),
    });
    this.#up = new PacketStream({
      maxBytes,
      onPacket: (bytes, start, body, end) => this.#fromClient.packet(bytes, start, body, end),
      forward: (bytes) => this.#write(broker, client, bytes),
    });
    this.#down = new PacketStream({
      maxBytes,
      onPacket: (bytes, start, body, end) => this.#fromBroker.packet(bytes, start, body, end),
      forward: (bytes) => this.#write(client, broker, bytes),
    });
  }

  /** @param ahead what the client sent behind its CONNECT */
  start(ahead: Buffer): void {
    const { client, broker, watched } = this.#options;
    client.on('drain', () => {
      broker.resume();
      client.resume();
    });
    broker.on('drain', () => {
      client.resume();
      broker.resume();
    });
    client.on('data', (chunk: Buffer) => this.#fromClientBytes(chunk));
    broker.on('data', (chunk: Buffer) => this.#fromBrokerBytes(chunk));
    client.on('end', () => broker.end());
    broker.on('end', () => this.end('broker_gone'));
    client.on('close', () => this.#close('left'));
    broker.on('close', () => this.end('broker_gone'));
    const { signal } = watched;
    const end = (): void => this.end((signal.reason as Refusal).reason);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
    if (ahead.length > 0) this.#fromClientBytes(ahead);
    client.resume();
  }

  /** Tells the client why, as far as its protocol can, and closes both connections. */
  end(reason: Reason): void {
    if (this.#over) return;
    if (this.#farewell && reason === 'broker_gone') return this.#close('left');
    this.#tell(answerTo(reason).code);
    // What a client that was cut off has left behind must not be published for it: MQTT 5.0 §3.14.4.
    if (reason === 'cut_off' || !this.#willHolds()) this.#leaveBroker();
    this.#close(reason);
  }

  #willHolds(): boolean {
    const { will } = this.#options.connect;
    return will === undefined || this.#rights.toPublish(will.topic) !== undefined;
  }

  #leaveBroker(): void {
    const { broker, connect } = this.#options;
    if (!broker.destroyed) broker.end(disconnect(connect.version, SUCCESS));
  }

  #tell(code: number): void {
    const { client, connect } = this.#options;
    if (client.destroyed) return;
    const says = connect.version === 5 && !this.#farewell;
    endLingering(client, says ? disconnect(5, code) : undefined);
  }

  #close(reason: Reason | 'left' | 'malformed'): void {
    if (this.#over) return;
    this.#over = true;
    const { client, broker, onEnd } = this.#options;
    this.#up.end();
    this.#down.end();
    // Without a DISCONNECT of its own, so that the broker publishes the Will: MQTT 5.0 §3.1.2.5.
    if (!broker.writableEnded) broker.end();
    if (!client.writableEnded) client.end();
    for (const socket of [broker, client]) socket.setTimeout(LEAVING_MS, () => socket.destroy());
    onEnd(reason);
  }

  #fromClientBytes(chunk: Buffer): void {
    try {
      this.#up.push(chunk);
      if (this.#denied) this.end('publish_denied');
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      if (this.#over) return;
      this.#tell(error.code);
      this.#close('malformed');
    }
  }

  #fromBrokerBytes(chunk: Buffer): void {
    try {
      this.#down.push(chunk);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.end('broker_malformed');
    }
  }

  /** Writes to one side; who wrote waits while that does not take any more. */
  #write(to: Socket, from: Socket, bytes: Buffer): void {
    if (to.writable && !to.write(bytes)) from.pause();
  }

  #answer(bytes: Buffer): void {
    const { client } = this.#options;
    if (client.writable) client.write(bytes);
    if (client.writableLength > MOST_UNREAD) client.pause();
  }

  #onConnack(connack: Connack): Connack {
    const { connect, assigned, method, maxPacketBytes } = this.#options;
    const { properties } = connack;
    this.#fromClient.aliasMaximum = numberProperty(properties, TOPIC_ALIAS_MAXIMUM) ?? 0;
    const brokers = numberProperty(properties, MAXIMUM_PACKET_SIZE) ?? maxPacketBytes;
    const own: Property[] = [writeFourBytes(MAXIMUM_PACKET_SIZE, Math.min(brokers, maxPacketBytes))];
    if (assigned) own.push(writeText(ASSIGNED_CLIENT_IDENTIFIER, connect.clientId));
    if (method !== undefined && connack.code === SUCCESS) own.push(writeText(AUTHENTICATION_METHOD, method));
    const kept = properties.filter(({ id }) => own.every((each) => each.id !== id));
    return { ...connack, properties: [...kept, ...own] };
  }

  /** MQTT 5.0 §4.12.1. What is under way meanwhile is judged by the rights before. */
  #onAuth(bytes: Buffer, body: number, end: number): void {
    const credentials = renewal(this.#options.method, bytes, body, end);
    if (this.#renewing) throw new Malformed('AUTH before the answer to another', PROTOCOL_ERROR);
    if ('reason' in credentials) return this.end(credentials.reason);
    this.#renewing = true;
    void this.#renew(credentials.token);
  }

  async #renew(token: string | undefined): Promise<void> {
    const { watched, certificate } = this.#options;
    const result = await watched.renew(token, { certificate });
    this.#renewing = false;
    if (this.#over) return;
    if (!result.ok) return this.end(result.reason);
    const rights = new Rights(result.scopes, result.claims.client_id);
    if (rights.none) return this.end('no_topics');
    this.#rights = rights;
    // The broker has it and nobody can take it back but by the end: silence alone would publish it otherwise.
    if (!this.#willHolds()) return this.end('will_not_allowed');
    this.#fromClient.rightsChanged();
    this.#fromBroker.rightsChanged();
    this.#answer(writeAuth(SUCCESS, [writeText(AUTHENTICATION_METHOD, METHOD)]));
  }
}

/** Milliseconds in which either side may close. */
const LEAVING_MS = 2000;
