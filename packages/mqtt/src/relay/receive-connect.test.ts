import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { connectPacket } from '../../test/raw-client.ts';
import { receiveConnect } from './receive-connect.ts';
import { MOST_WAITING, WaitingBytes } from './waiting-bytes.ts';

const LIMITS = { packetBytes: 1_048_576, connectTimeout: 10 };
/** The beginning of a CONNECT that says it has 128,000 bytes. */
const BEGUN = Buffer.concat([Buffer.from([0x10, 0x80, 0xe8, 0x07]), Buffer.alloc(100_000)]);

test('ten thousand connections that send most of a CONNECT hold 32 MiB together, and who sends an ordinary one gets in', async () => {
  const waiting = new WaitingBytes();
  const honest = new PassThrough();
  const received = receiveConnect(honest as unknown as Socket, LIMITS, waiting);
  const whole = connectPacket({ version: 5, token: 'x'.repeat(2000) });
  honest.write(whole.subarray(0, 1000));
  let givenUp = 0;
  let highest = 0;
  const others = Array.from({ length: 10_000 }, () => new PassThrough());
  for (const other of others) {
    receiveConnect(other as unknown as Socket, LIMITS, waiting).catch(() => givenUp++);
    other.write(BEGUN);
    await new Promise((resolve) => setImmediate(resolve));
    highest = Math.max(highest, waiting.total);
  }
  expect(highest).toBeGreaterThan(MOST_WAITING / 2);
  expect(highest).toBeLessThanOrEqual(MOST_WAITING);
  expect(givenUp).toBeGreaterThan(9000);
  honest.write(whole.subarray(1000));
  expect((await received).connect.version).toBe(5);
  for (const other of others) other.destroy();
  await new Promise((resolve) => setImmediate(resolve));
  expect(waiting.total).toBe(0);
});
