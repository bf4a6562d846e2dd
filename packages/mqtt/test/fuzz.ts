// Bytes that nobody should send, into everything that reads them: good packets spoiled and made-up ones, in pieces of any size. Cheap enough
// for a million; what is to be told again is the seed.
import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { Watched } from '@countersign/resource-server';
import type { AedesClient } from '../src/aedes/aedes.ts';
import { aedesHooks } from '../src/aedes/hooks.ts';
import { FromBroker } from '../src/relay/from-broker.ts';
import { FromClient } from '../src/relay/from-client.ts';
import { belongsTo } from '../src/topics/client-id.ts';
import { Rights } from '../src/topics/rights.ts';
import { readAuth } from '../src/wire/answer.ts';
import { readConnack, writeConnack } from '../src/wire/connack.ts';
import { readConnect } from '../src/wire/connect.ts';
import { Malformed } from '../src/wire/malformed.ts';
import { PacketStream, type PacketStreamOptions } from '../src/wire/packet-stream.ts';
import type { Version } from '../src/wire/packet-type.ts';
import { TOPIC_ALIAS, writePair } from '../src/wire/property.ts';
import { authPacket, connectPacket, publishPacket, subscribePacket } from './raw-client.ts';

/** A whole number below `below`. */
type Random = (below: number) => number;

/** Mulberry32: small, and the same for the same seed. */
function randomFrom(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const pick = <Item>(random: Random, items: readonly Item[]): Item => items[random(items.length)] as Item;

const alias = { id: TOPIC_ALIAS, bytes: Buffer.from([TOPIC_ALIAS, 0, 1]) };
const will = { topic: 'a/will', flags: 4, properties: [], payload: Buffer.from('gone') };

/** SUBACK, PUBREL, PINGREQ or PINGRESP, DISCONNECT: the same in both directions here. */
const SHORT = [
  [0x90, 4, 0, 7, 0, 1],
  [0x62, 2, 0, 1],
  [0xc0, 0],
  [0xd0, 0],
  [0xe0, 0],
].map((bytes) => Buffer.from(bytes));

/** Packets that each of the readers takes, in its version; in the order of `readersOf`. */
function goodOnes(version: Version): readonly (readonly Buffer[])[] {
  const properties = version === 5 ? [alias, writePair(0x26, 'a', 'b')] : [];
  const publish = [
    publishPacket(version, 'a/b', { qos: 1, properties }),
    publishPacket(version, 'a/b', { qos: 2, payload: Buffer.alloc(300) }),
    publishPacket(version, 'other/b', { qos: 2, packetId: 3 }),
  ];
  const subscribe = [
    subscribePacket(version, 7, 'a/b', '$share/g/a', '#'),
    subscribePacket(version, 8, 'a/+/#', 'b'),
  ];
  const aliased = version === 5 ? [publishPacket(5, '', { properties: [alias] }), authPacket('a.b.c')] : [];
  const connect = [
    connectPacket({ version, token: 'a.b.c', will }),
    connectPacket({ version, ace: version === 5 }),
  ];
  return [
    [...publish, ...subscribe, ...aliased, ...SHORT.slice(1)],
    [...publish, ...SHORT],
    connect,
    [connackOf(version)],
  ];
}

const connackOf = (version: Version): Buffer =>
  writeConnack(version, { sessionPresent: 0, code: 0, properties: [writePair(0x26, 'a', 'b')] });

/** One input: good packets of which some bytes are others, some are gone or some are twice; or nothing but bytes. */
function inputOf(random: Random, good: readonly Buffer[]): Buffer {
  if (random(8) === 0) return Buffer.from(Array.from({ length: 1 + random(64) }, () => random(256)));
  let bytes = Buffer.concat(Array.from({ length: 1 + random(4) }, () => pick(random, good)));
  for (let changes = random(4); changes > 0; changes--) {
    const at = random(bytes.length);
    const kind = random(4);
    if (kind === 0) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random(8))]);
    else if (kind === 1) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - 4))]);
    else if (bytes.length > at) bytes[at] = kind === 2 ? random(256) : pick(random, [0, 0x7f, 0x80, 0xff]);
    if (bytes.length === 0) return Buffer.from([0]);
  }
  return bytes;
}

const MOST_BYTES = 4096;
const RIGHTS = new Rights(['mqtt.pub:a/#', 'mqtt.sub:a/#'], 'c');

type Read = PacketStreamOptions['onPacket'];
/** Which of `readersOf`. */
const FROM_BROKER = 1;

/** Every reader of bytes, both directions of one session among them; each keeps what it knows from input to input. */
export function readersOf(version: Version): readonly Read[] {
  const nothing = (): void => undefined;
  const client = new FromClient({
    version,
    rights: () => RIGHTS,
    used: nothing,
    answer: nothing,
    endDenied: nothing,
    onAuth: (bytes, body, end) => void readAuth(bytes, body, end),
    onDisconnect: nothing,
  });
  client.aliasMaximum = 10;
  const broker = new FromBroker({
    version,
    rights: () => RIGHTS,
    acknowledge: nothing,
    withheld: nothing,
    onDisconnect: nothing,
    onConnack: (connack) => connack,
    mergedCodes: (packetId, codes) => client.mergedCodes(packetId, codes),
  });
  return [
    (...packet) => client.packet(...packet),
    (...packet) => broker.packet(...packet),
    (bytes, _start, body, end) => readConnect(bytes, body, end).clean,
    (bytes, _start, body, end) => readConnack(version, bytes, body, end).code === 0,
  ];
}

export interface Fuzzed {
  /** Packets that were read to their end. */
  readonly read: number;
  /** Connections that ended because of one that could not be. */
  readonly refused: number;
  /** What was thrown besides, with its seed. */
  readonly thrown: readonly string[];
}

/** Gives `inputs` of them to every reader, in pieces of any size. */
export function fuzzPackets(inputs: number, seed: number): Fuzzed {
  const random = randomFrom(seed);
  const counts = { read: 0, refused: 0, thrown: [] as string[] };
  const kinds = 4;
  for (let kind = 0; kind < kinds; kind++) {
    const open = (): { readonly stream: PacketStream; readonly good: readonly Buffer[] } => {
      const version = random(2) === 0 ? 4 : 5;
      const read = readersOf(version)[kind] as Read;
      const stream = new PacketStream({
        maxBytes: MOST_BYTES,
        forward: () => undefined,
        onPacket(...packet) {
          const verdict = read(...packet);
          counts.read++;
          return verdict;
        },
      });
      if (kind === FROM_BROKER) stream.push(connackOf(version));
      // Now and then what is for another reader.
      const all = goodOnes(random(4) === 0 ? 4 : version);
      return { stream, good: random(8) === 0 ? all.flat() : (all[kind] as readonly Buffer[]) };
    };
    let { stream, good } = open();
    for (let input = 0; input < inputs / kinds; input++) {
      try {
        for (const piece of piecesOf(inputOf(random, good), random)) stream.push(piece);
      } catch (error) {
        if (error instanceof Malformed) counts.refused++;
        else counts.thrown.push(`seed ${seed}: ${String(error)}`);
        ({ stream, good } = open());
      }
    }
  }
  return counts;
}

function* piecesOf(bytes: Buffer, random: Random): Generator<Buffer> {
  const longest = pick(random, [1, 7, 64, bytes.length]);
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + random(longest);
    yield Buffer.from(bytes.subarray(at, at + length));
    at += length;
  }
}

const LEVELS = ['a', 'c', 'b', '', '+', '#', '$SYS', '$share', 'g', '{client}', '\0', 'é', '\ud800', '+a'];
const NAMES = ['c', 'c:', 'c:x', '', 'd', 'c ', 'C', '__proto__', 'constructor', ':c', 'c\0', '+', 'aedes_1'];

/** What a broker asks its hooks, of a client called `c` with the scopes of SCOPES: gives what was answered wrongly. */
export async function fuzzHooks(inputs: number, seed: number): Promise<readonly string[]> {
  const random = randomFrom(seed);
  const wrong: string[] = [];
  const verifier = { watch: () => Promise.resolve(watchedAnew()) };
  const hooks = aedesHooks({ verifier, connectionsPerIdentity: 1_000_000 });
  const topic = (): string => Array.from({ length: 1 + random(5) }, () => pick(random, LEVELS)).join('/');
  let inside: AedesClient | undefined;
  for (let input = 0; input < inputs; input++) {
    // Else streams that were destroyed never come to say so.
    if (input % 1000 === 0) await turn();
    if (inside === undefined || input % 100 === 0) {
      const [clientId, willTopic, clean] = [pick(random, NAMES), topic(), random(2) === 0];
      const hasWill = random(3) === 0;
      const client = clientCalled(clientId);
      hooks.preConnect(client, { clientId, clean, ...(hasWill && { will: { topic: willTopic } }) }, ignore);
      const password = Buffer.from(Array.from({ length: random(64) }, () => random(256)));
      const isIn = await new Promise<boolean | null>((resolve) => {
        hooks.authenticate(client, undefined, password, (_error, success) => resolve(success));
      });
      const may = clientId === '' ? clean : belongsTo(clientId, 'c');
      if (isIn !== (may && (!hasWill || opens(PUBLISH, willTopic)))) wrong.push(`seed ${seed}: ${clientId}`);
      inside?.conn.destroy();
      inside = isIn === true ? client : clientCalled('nobody');
      if (isIn !== true && mayAnything(hooks, inside)) wrong.push(`seed ${seed}: a stranger`);
      if (isIn !== true) {
        inside = undefined;
        continue;
      }
    }
    const asked = topic();
    hooks.authorizePublish(inside, { topic: asked }, (error) => {
      if ((error === null) !== opens(PUBLISH, asked)) wrong.push(`seed ${seed}: publish ${asked}`);
    });
    const isForwarded = hooks.authorizeForward(inside, { topic: asked }) !== null;
    if (isForwarded !== opens(SUBSCRIBE, asked)) wrong.push(`seed ${seed}: forward ${asked}`);
    hooks.authorizeSubscribe(inside, { topic: asked }, (_error, granted) => {
      // Of what is granted nothing may lie beyond what may be delivered: a name that it stands for is tried.
      const name = asked.replaceAll('+', 'x').replace(/#$/, 'y/z');
      if (granted && !opens(SUBSCRIBE, name)) wrong.push(`seed ${seed}: subscribe ${asked}`);
    });
  }
  inside?.conn.destroy();
  await turn();
  return wrong;
}

const SCOPES = ['mqtt.pub:a/{client}/#', 'mqtt.pub:b', 'mqtt.sub:a/+/b', 'mqtt.sub:+/g', 'mqtt.sub:c/#'];
/** The same, written by hand as what they let pass. */
const PUBLISH: readonly RegExp[] = [/^a\/c(\/.*)?$/s, /^b$/];
const SUBSCRIBE: readonly RegExp[] = [/^a\/[^/]*\/b$/, /^(?!\$)[^/]*\/g$/, /^c(\/.*)?$/s];

/** An oracle that knows nothing of filters. */
function opens(patterns: readonly RegExp[], topic: string): boolean {
  return !/[#+\0]/.test(topic) && patterns.some((pattern) => pattern.test(topic));
}

function mayAnything(hooks: ReturnType<typeof aedesHooks>, client: AedesClient): boolean {
  let may = hooks.authorizeForward(client, { topic: 'b' }) !== null;
  hooks.authorizePublish(client, { topic: 'b' }, (error) => (may ||= error === null));
  hooks.authorizeSubscribe(client, { topic: 'c/#' }, (_error, granted) => (may ||= Boolean(granted)));
  return may;
}

function clientCalled(id: string): AedesClient {
  const close = (): void => void conn.destroy();
  const conn = new PassThrough();
  return { id, closed: false, connecting: false, conn, once: () => undefined, close };
}

const ignore = (): void => undefined;
const watchedAnew = (): Watched => ({
  ok: true,
  claims: {
    iss: 'https://issuer.test',
    sub: 'c',
    client_id: 'c',
    aud: 'x',
    iat: 0,
    exp: 1,
    jti: 'j',
  } as never,
  scopes: SCOPES,
  signal: new AbortController().signal,
  renew: () => Promise.reject(new Error('nobody renews')),
  used: ignore,
  stop: ignore,
});
