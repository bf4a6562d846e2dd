// Bytes of strangers: whatever they are, they are read in bounded time, and only ever refused as malformed.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readersOf } from '../../test/fuzz.ts';
import { authPacket, connectPacket, publishPacket, subscribePacket } from '../../test/raw-client.ts';
import { FromClient } from '../relay/from-client.ts';
import { Rights } from '../topics/rights.ts';
import { writeConnack } from './connack.ts';
import { Malformed } from './malformed.ts';
import { PacketStream } from './packet-stream.ts';
import type { Version } from './packet-type.ts';
import { TOPIC_ALIAS, writePair } from './property.ts';

const RIGHTS = new Rights(['mqtt.pub:#', 'mqtt.sub:a/#'], 'c');
const MOST = 10_000;

/** Both directions of a session, and every reader, on these chunks. */
function readAll(version: Version, chunks: readonly Uint8Array[]): void {
  for (const onPacket of readersOf(version)) {
    const stream = new PacketStream({ maxBytes: MOST, forward: () => undefined, onPacket });
    try {
      for (const chunk of chunks) stream.push(Buffer.from(chunk));
    } catch (error) {
      expect(error).toBeInstanceOf(Malformed);
    }
  }
}

const version = fc.constantFrom<Version>(4, 5);
const alias = { id: TOPIC_ALIAS, bytes: Buffer.from([TOPIC_ALIAS, 0, 1]) };
const whole = fc.constantFrom(
  connectPacket({ version: 5, token: 'a.b.c', ace: true }),
  connectPacket({ version: 4, token: 'a.b.c' }),
  writeConnack(5, { sessionPresent: 0, code: 0, properties: [writePair(0x26, 'a', 'b')] }),
  publishPacket(5, 'a/b', { qos: 1, properties: [alias, writePair(0x26, 'a', 'b')] }),
  publishPacket(4, 'a/b', { qos: 2 }),
  subscribePacket(5, 7, 'a/b', '$share/g/a', '#'),
  authPacket('a.b.c'),
  Buffer.from([0x90, 4, 0, 7, 0, 1]),
  Buffer.from([0x62, 2, 0, 1]),
);

it('ten thousand of any bytes are refused or wait for more', () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 64 }), { minLength: 1, maxLength: 4 });
  fc.assert(fc.property(version, chunks, readAll), { numRuns: MOST });
});

it('ten thousand of packets with bytes changed and cut anywhere are refused, or are packets', () => {
  const changes = fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 4 });
  fc.assert(
    fc.property(
      version,
      fc.array(whole, { minLength: 1, maxLength: 4 }),
      changes,
      fc.nat(200),
      (of, packets, changed, cut) => {
        const bytes = Buffer.concat(packets);
        for (const [at, value] of changed) bytes[at % bytes.length] = value;
        readAll(of, [bytes.subarray(0, cut), bytes.subarray(cut)]);
      },
    ),
    { numRuns: MOST },
  );
});

it('whatever the pieces are that packets come in, the same bytes go on', () => {
  fc.assert(
    fc.property(
      fc.array(whole, { minLength: 1, maxLength: 5 }),
      fc.array(fc.nat(300), { maxLength: 6 }),
      (packets, cuts) => {
        const bytes = Buffer.concat(packets);
        const gone: Buffer[] = [];
        let count = 0;
        const stream = new PacketStream({
          maxBytes: MOST,
          forward: (some) => void gone.push(Buffer.from(some)),
          onPacket: () => ++count > 0,
        });
        const at = [
          0,
          ...cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((a, b) => a - b),
          bytes.length,
        ];
        for (let i = 1; i < at.length; i++) stream.push(bytes.subarray(at[i - 1], at[i]));
        expect(Buffer.concat(gone).equals(bytes)).toBe(true);
        expect(count).toBe(packets.length);
      },
    ),
    { numRuns: 1000 },
  );
});

it('a length that is written longer than it needs to be is malformed, and so is a property that stands twice', () => {
  const stream = new PacketStream({ maxBytes: MOST, forward: () => undefined, onPacket: () => true });
  expect(() => stream.push(Buffer.from([0xc0, 0x80, 0x00]))).toThrow(Malformed);
  const twice = publishPacket(5, 'a', { properties: [alias, alias] });
  const client = new FromClient({
    version: 5,
    rights: () => RIGHTS,
    used: () => undefined,
    answer: () => undefined,
    endDenied: () => undefined,
    onAuth: () => undefined,
    onDisconnect: () => undefined,
  });
  client.aliasMaximum = 5;
  expect(() => client.packet(twice, 0, 2, twice.length)).toThrow('a property stands twice');
});
