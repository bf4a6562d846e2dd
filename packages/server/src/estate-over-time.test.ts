import { expect, test } from 'vitest';
import { simulate } from '../test/estate-story.ts';

test('a quarter of 300 identities: on no day is anything as it must not be', async () => {
  const { estate, reached } = await simulate({ identities: 300, days: 91, seed: 20_261_206 });
  // It has seen enough to say so.
  expect(reached['decommissioned']).toBeGreaterThan(10);
  expect(reached['suspended']).toBeGreaterThan(10);
  expect(reached['active']).toBeGreaterThan(100);
  const asked = (word: string): number => estate.answers.get(word) ?? 0;
  for (const word of [
    'POST /v1/access 403',
    'POST /v1/policy-exceptions 201',
    'POST /v1/credentials/rotate 201',
    'POST /v1/reviews/decisions 200',
    'POST /v1/access/restore 200',
    'POST /v1/proposals/apply 200',
  ])
    expect(asked(word), word).toBeGreaterThan(0);
  const told = new Set(estate.authority.log.events.flatMap(({ type, reason }) => [type, reason]));
  for (const word of ['refused_by_policy', 'review_item.silent', 'review.completed'])
    expect(told, word).toContain(word);
  const { storage, clock } = estate.authority;
  const exceptions = await storage.policyExceptions.list({}, { limit: 500 });
  expect(exceptions.items.filter(({ expiresAt }) => expiresAt <= clock.now()).length).toBeGreaterThan(0);
  await estate.authority.close();
}, 120_000);
