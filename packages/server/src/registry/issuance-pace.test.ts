import { expect, test } from 'vitest';
import { createIssuancePace, MOST_SOURCES } from './issuance-pace.ts';

test('tokens and addresses are counted by access, and each look begins anew', () => {
  const pace = createIssuancePace(1000);
  pace.count('acs_a', 600, '192.0.2.1');
  pace.count('acs_a', 300, '192.0.2.2');
  pace.count('acs_a', 300, '192.0.2.2');
  pace.count('acs_b', 600, '192.0.2.1');
  expect([...pace.take(61_000).values()]).toEqual([
    { accessId: 'acs_a', tokens: 3, lifetime: 300, sources: 2, elapsed: 60_000 },
    { accessId: 'acs_b', tokens: 1, lifetime: 600, sources: 1, elapsed: 60_000 },
  ]);
  expect(pace.take(62_000).size).toBe(0);
});

test('what it holds is bounded, whoever asks from wherever', () => {
  const pace = createIssuancePace(0, 10);
  for (let i = 0; i < 1000; i++) pace.count(`acs_${i}`, 600, '192.0.2.1');
  for (let i = 0; i < 1000; i++) pace.count('acs_0', 600, `192.0.2.${i}`);
  const paces = pace.take(1);
  expect(paces.size).toBe(10);
  expect(paces.get('acs_0')).toMatchObject({ tokens: 1001, sources: MOST_SOURCES });
});

test('a clock that was set back gives no negative time', () => {
  const pace = createIssuancePace(1000);
  pace.count('acs_a', 600, 'x');
  expect(pace.take(500).get('acs_a')?.elapsed).toBe(0);
});
