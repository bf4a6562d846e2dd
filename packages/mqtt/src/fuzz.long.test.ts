import { expect, it } from 'vitest';
import { fuzzHooks, fuzzPackets } from '../test/fuzz.ts';
import { heldMemory } from '../test/memory.ts';

const INPUTS = 1_000_000;

/** MiB that are held more than before. */
async function grownBy(work: () => unknown): Promise<number> {
  const before = heldMemory();
  await work();
  return (heldMemory() - before) / 2 ** 20;
}

it('whatever comes in whatever pieces, nothing crashes, hangs or grows (10⁶ inputs)', async () => {
  const seed = Date.now() % 2 ** 31;
  const grown = await grownBy(() => {
    expect(fuzzPackets(INPUTS, seed).thrown).toEqual([]);
  });
  console.log(`10⁶ inputs of seed ${seed}: ${grown.toFixed(0)} MiB more held`);
  expect(grown).toBeLessThan(50);
});

it('whatever hooks are asked, they answer as the scopes say, and nothing grows (10⁶ inputs)', async () => {
  const seed = Date.now() % 2 ** 31;
  const grown = await grownBy(async () => expect(await fuzzHooks(INPUTS, seed)).toEqual([]));
  console.log(`10⁶ inputs of seed ${seed}: ${grown.toFixed(0)} MiB more held`);
  expect(grown).toBeLessThan(50);
});
