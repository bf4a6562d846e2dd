import { expect, it } from 'vitest';
import { fuzzAll } from '../test/fuzz.ts';

it('whatever comes, nothing crashes, hangs or grows (10⁴ inputs)', async () => {
  expect(await fuzzAll(10_000)).toEqual({
    thrown: 0,
    handshakes: expect.any(Number),
    sessions: expect.any(Number),
  });
}, 60_000);
