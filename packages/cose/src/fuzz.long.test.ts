import { expect, it } from 'vitest';
import { fuzzCbor } from '../test/fuzz.ts';

it('whatever comes: no reader of CBOR, COSE or claims throws, hangs or grows (10⁶ inputs)', () => {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  for (let done = 0; done < 1_000_000; done += 10_000)
    expect(fuzzCbor(10_000)).toEqual({ thrown: 0, respelled: 0 });
  globalThis.gc?.();
  const grown = (process.memoryUsage().heapUsed - before) / 2 ** 20;
  console.log(`10⁶ inputs: the heap grew by ${grown.toFixed(0)} MiB`);
  expect(grown).toBeLessThan(200);
});
