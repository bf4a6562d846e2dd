import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, type TestContext } from 'vitest';

const BENCH = join(fileURLToPath(new URL('..', import.meta.url)), 'bench', 'device-cutoff.mjs');
const PROTOCOLS = ['http-request', 'http-stream', 'mqtt', 'coap', 'opcua'] as const;

type Protocol = (typeof PROTOCOLS)[number];

interface Figures {
  readonly orders: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/**
 * Gives `devices` everything that a device can have open, orders that each be cut off, and holds the time until all of it has ended
 * to `withinMs`, at p99 and for each protocol. Prints the figures.
 */
export async function expectDevicesEnd(
  context: TestContext,
  devices: number,
  withinMs: number,
): Promise<void> {
  const { stdout } = await promisify(execFile)(process.execPath, [BENCH, JSON.stringify({ devices })], {
    timeout: 900_000,
    maxBuffer: 10_000_000,
  });
  const result = JSON.parse(stdout);
  if (result.missing !== undefined) return context.skip(`needs ${result.missing}`);
  const protocols: Readonly<Record<Protocol, Figures>> = result.protocols;
  for (const protocol of PROTOCOLS) {
    const { orders, p50, p99, max } = protocols[protocol];
    console.log(`${protocol}, ${orders} orders: p50 ${p50} ms, p99 ${p99} ms, most ${max} ms`);
    expect.soft(orders).toBe(devices);
    expect.soft(p99, protocol).toBeLessThan(withinMs);
  }
  expect(result).toMatchObject({ devices, othersEnded: 0 });
}
