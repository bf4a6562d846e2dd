// How long a connection to a broker made with aedes outlives the order to cut its identity off.
import { expect, it } from 'vitest';
import { openAedesScene } from '../../test/aedes-scene.ts';

const ORDERS = 100;

it('100 of 100 connections end within a second of the order, at p99, while another goes on', async (context) => {
  const scene = await openAedesScene(context);
  const other = await scene.inside();
  const took: number[] = [];
  for (let order = 0; order < ORDERS; order++) {
    const id = `device-${order}`;
    const token = await scene.token({ client_id: id, sub: id });
    const client = await scene.inside({ clientId: id, token });
    const ordered = performance.now();
    await Promise.all([scene.issuer.cutOff({ kind: 'identity', id }), client.closed()]);
    took.push(performance.now() - ordered);
  }
  const sorted = took.toSorted((one, another) => one - another);
  const [p50, p99] = [ORDERS / 2, ORDERS - 2].map((at) => sorted[at] ?? Number.NaN) as [number, number];
  console.log(`cut-off, aedes: ${p50.toFixed(0)} ms at p50, ${p99.toFixed(0)} ms at p99`);
  expect(p99).toBeLessThan(1000);
  expect(other.isClosed).toBe(false);
});
