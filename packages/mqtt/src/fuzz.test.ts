import { expect, it } from 'vitest';
import { fuzzHooks, fuzzPackets } from '../test/fuzz.ts';

const INPUTS = 10_000;
const SEED = 1;

it('whatever comes in whatever pieces, nothing is thrown but that it is malformed (10⁴ inputs)', () => {
  const { read, refused, thrown } = fuzzPackets(INPUTS, SEED);
  expect(thrown).toEqual([]);
  // Else nothing has been tried.
  expect(read).toBeGreaterThan(INPUTS / 2);
  expect(refused).toBeGreaterThan(INPUTS / 4);
});

it('whatever hooks are asked, they answer as the scopes say, and throw nothing (10⁴ inputs)', async () => {
  expect(await fuzzHooks(INPUTS, SEED)).toEqual([]);
});
