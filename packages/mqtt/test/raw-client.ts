// A client by hand, packet by packet, so that tests can send what no library would.
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Connect, writeConnect } from '../src/wire/connect.ts';
import { packetOf, prefixed } from '../src/wire/data-types.ts';
import { PacketStream } from '../src/wire/packet-stream.ts';
import { DISCONNECT, PUBLISH, SUBSCRIBE, type Version } from '../src/wire/packet-type.ts';
import {
  AUTHENTICATION_DATA,
  AUTHENTICATION_METHOD,
  type Property,
  writeProperties,
  writeText,
} from '../src/wire/property.ts';
import { writeAuth } from '../src/wire/answer.ts';

export interface Received {
  readonly type: number;
  readonly flags: number;
  /** Behind the fixed header. */
  readonly content: Buffer;
  /** ms */
  readonly at: number;
}

export interface RawClient {
  readonly socket: Socket;
  readonly received: Received[];
  send(...packets: readonly Buffer[]): void;
  /** The next packet of a type that was not taken yet. */
  next(type: number, withinMs?: number): Promise<Received>;
  /** Resolves when the connection is closed. */
  closed(withinMs?: number): Promise<void>;
  readonly isClosed: boolean;
}

export async function openRawClient(port: number, make = connect): Promise<RawClient> {
  const socket = make({ host: '127.0.0.1', port });
  const received: Received[] = [];
  let taken = 0;
  const stream = new PacketStream({
    maxBytes: 268_435_460,
    forward: () => undefined,
    onPacket(bytes, start, body, end) {
      const first = bytes[start] as number;
      const content = Buffer.from(bytes.subarray(body, end));
      received.push({ type: first >> 4, flags: first & 15, content, at: performance.now() });
      return false;
    },
  });
  socket.on('data', (chunk: Buffer) => stream.push(chunk));
  socket.on('error', () => undefined);
  const client: RawClient = {
    socket,
    received,
    send: (...packets) => void socket.write(Buffer.concat(packets)),
    async next(type, withinMs = 5000) {
      const until = performance.now() + withinMs;
      for (;;) {
        const at = received.findIndex((each, i) => i >= taken && each.type === type);
        if (at !== -1) {
          taken = at + 1;
          return received[at] as Received;
        }
        if (performance.now() > until || socket.closed) {
          throw new Error(
            `no packet of type ${type}; closed: ${socket.closed}; got ${JSON.stringify(received)}`,
          );
        }
        await sleep(2);
      }
    },
    async closed(withinMs = 5000) {
      const until = performance.now() + withinMs;
      while (!socket.closed) {
        if (performance.now() > until) throw new Error(`still open; got ${JSON.stringify(received)}`);
        await sleep(2);
      }
    },
    get isClosed() {
      return socket.closed;
    },
  };
  await new Promise((resolve) => socket.once('connect', resolve));
  return client;
}

export interface ConnectAs extends Partial<Connect> {
  readonly version: Version;
  readonly token?: string;
  /** By AUTH data instead of the password. */
  readonly ace?: boolean;
}

export function connectPacket({ version, token, ace = false, properties = [], ...more }: ConnectAs): Buffer {
  return writeConnect({
    version,
    clean: true,
    keepAlive: 60,
    clientId: 'sensor-1',
    will: undefined,
    username: ace || token === undefined ? undefined : 'sensor-1',
    password: ace || token === undefined ? undefined : Buffer.from(token),
    properties: ace ? [...properties, ...aceProperties(token ?? '')] : properties,
    ...more,
  });
}

export function aceProperties(token: string): readonly Property[] {
  return [writeText(AUTHENTICATION_METHOD, 'ace'), writeText(AUTHENTICATION_DATA, prefixed(token))];
}

export function authPacket(token: string, code = 0x19): Buffer {
  return writeAuth(code, aceProperties(token));
}

export interface Message {
  readonly qos?: 0 | 1 | 2 | 3;
  readonly packetId?: number;
  readonly retain?: boolean;
  readonly payload?: string | Buffer;
  readonly properties?: readonly Property[];
}

export function publishPacket(version: Version, topic: string | Buffer, message: Message = {}): Buffer {
  const { qos = 0, packetId = 1, retain = false, payload = 'x', properties = [] } = message;
  return packetOf(
    (PUBLISH << 4) | (qos << 1) | (retain ? 1 : 0),
    prefixed(topic),
    ...(qos > 0 ? [Buffer.from([packetId >> 8, packetId & 0xff])] : []),
    ...(version === 5 ? [writeProperties(properties)] : []),
    Buffer.from(payload),
  );
}

export function subscribePacket(version: Version, packetId: number, ...filters: readonly string[]): Buffer {
  return packetOf(
    (SUBSCRIBE << 4) | 2,
    Buffer.from([packetId >> 8, packetId & 0xff]),
    ...(version === 5 ? [writeProperties([])] : []),
    ...filters.map((filter) => Buffer.concat([prefixed(filter), Buffer.from([1])])),
  );
}

export const GOODBYE: Buffer = packetOf(DISCONNECT << 4);
