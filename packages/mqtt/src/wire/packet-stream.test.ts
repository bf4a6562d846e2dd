import { expect, it } from 'vitest';
import { heldMemory } from '../../test/memory.ts';
import { publishPacket } from '../../test/raw-client.ts';
import { Malformed } from './malformed.ts';
import { PacketStream } from './packet-stream.ts';

it('a packet that comes byte by byte costs little more than its bytes, and one that is only announced nothing', () => {
  const packet = publishPacket(4, 'a', { payload: Buffer.alloc(1_000_000) });
  let whole = 0;
  const stream = new PacketStream({
    maxBytes: 1_048_576,
    forward: () => undefined,
    onPacket: (bytes, start, _body, end) => {
      whole = end - start;
      expect(bytes.subarray(start, end).equals(packet)).toBe(true);
      return false;
    },
  });
  const before = heldMemory();
  stream.push(packet.subarray(0, 10));
  expect(heldMemory() - before).toBeLessThan(100_000);
  for (let at = 10; at < packet.length - 1; at++) stream.push(packet.subarray(at, at + 1));
  expect(heldMemory() - before).toBeLessThan(4_000_000);
  stream.push(packet.subarray(packet.length - 1));
  expect(whole).toBe(packet.length);
});

it('a packet that is announced as larger than the limit is refused at once', () => {
  const stream = new PacketStream({ maxBytes: 1024, forward: () => undefined, onPacket: () => true });
  expect(() => stream.push(Buffer.from([0x30, 0x80, 0x08]))).toThrow(Malformed);
});
