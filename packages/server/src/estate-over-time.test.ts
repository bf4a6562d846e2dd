import { expect, test } from 'vitest';
import { simulate } from '../test/estate-story.ts';

test('a quarter of 300 identities: on no day is anything as it must not be', async () => {
  const { estate, reached } = await simulate({ identities: 300, days: 91, seed: 20_261_130 });
  // It has seen enough to say so.
  expect(reached['decommissioned']).toBeGreaterThan(10);
  expect(reached['suspended']).toBeGreaterThan(10);
  expect(reached['active']).toBeGreaterThan(100);
  await estate.authority.close();
}, 120_000);
