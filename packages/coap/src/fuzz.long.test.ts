import { expect, it } from 'vitest';
import { fuzzAll } from '../test/fuzz.ts';

it('whatever comes, nothing crashes, hangs or grows (10⁶ inputs)', async () => {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  expect(await fuzzAll(1_000_000)).toMatchObject({ thrown: 0 });
  globalThis.gc?.();
  const grown = (process.memoryUsage().heapUsed - before) / 2 ** 20;
  console.log(`10⁶ inputs: the heap grew by ${grown.toFixed(0)} MiB`);
  expect(grown).toBeLessThan(200);
});
