import { expect, test } from 'vitest';
import { simulate } from '../test/estate-story.ts';

test('a year of 2,000 identities: on no day is anything as it must not be', async () => {
  const { estate, reached } = await simulate({
    identities: 2000,
    days: 365,
    seed: 1,
    say: (line) => console.log(line),
  });
  for (const state of ['active', 'suspended', 'decommissioning', 'decommissioned', 'rejected', 'lapsed'])
    expect(reached[state], state).toBeGreaterThan(20);
  await estate.authority.close();
});
