import type { AccessTokenClaims } from '@countersign/protocol/portable';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Counted, UseCounts } from './use-counts.ts';

const ISSUER = 'https://authority.test';

function claimsOf(change: Partial<AccessTokenClaims> = {}): AccessTokenClaims {
  return { iss: ISSUER, client_id: 'pay', crd: 'crd_1', acs: 'acs_1', ...change } as AccessTokenClaims;
}

const total = ({ rows, uncounted }: Counted): [number, number] =>
  [...rows, uncounted].reduce<[number, number]>(
    ([ok, denied], each) => [ok + each.ok, denied + each.denied],
    [0, 0],
  );

test('counts what the guard required, by credential and access, refusals apart', () => {
  const counts = new UseCounts(ISSUER);
  counts.count(claimsOf(), ['read'], true);
  counts.count(claimsOf(), ['read'], true);
  counts.count(claimsOf(), ['read', 'write'], false);
  counts.count(claimsOf({ crd: 'crd_2' }), [], true);
  expect(counts.take()).toEqual({
    rows: [
      { access: 'acs_1', credential: 'crd_1', scope: 'read', ok: 2, denied: 1 },
      { access: 'acs_1', credential: 'crd_1', scope: 'write', ok: 0, denied: 1 },
      { access: 'acs_1', credential: 'crd_2', scope: null, ok: 1, denied: 0 },
    ],
    uncounted: { ok: 0, denied: 0 },
  });
  expect(counts.take()).toEqual({ rows: [], uncounted: { ok: 0, denied: 0 } });
});

test('of what was let through it tells how old the oldest token was, where that is known of all', () => {
  const counts = new UseCounts(ISSUER);
  const age = (): number | undefined => {
    const [row] = counts.take().rows;
    return row !== undefined && 'access' in row ? row.age : undefined;
  };
  for (const now of [1030, 1007.5, 1000]) counts.count(claimsOf({ iat: 1000 }), ['read'], true, now);
  counts.count(claimsOf({ iat: 1000 }), ['read'], false, 9000);
  expect(age()).toBe(30);
  counts.count(claimsOf({ iat: 1000 }), ['read'], true, 990);
  expect(age()).toBe(0);
  counts.count(claimsOf({ iat: 1000 }), ['read'], true, 1030);
  counts.count(claimsOf(), ['read'], true, 1030);
  expect(age()).toBeUndefined();
  counts.count(claimsOf({ iat: 1000 }), ['read'], false, 1030);
  expect(age()).toBeUndefined();
});

test('tokens of others are counted by who issued them to whom, whatever ids they hold', () => {
  const counts = new UseCounts(ISSUER);
  counts.count(claimsOf({ iss: 'https://foreign.test' }), ['read'], true);
  const { crd: _, ...bare } = claimsOf();
  counts.count(bare as AccessTokenClaims, ['read'], true);
  expect(counts.take().rows).toEqual([
    { issuer: 'https://foreign.test', client_id: 'pay', scope: 'read', ok: 1, denied: 0 },
    { issuer: ISSUER, client_id: 'pay', scope: 'read', ok: 1, denied: 0 },
  ]);
});

test('beyond its limit it says how many there were, and knows again who is known', () => {
  const counts = new UseCounts(ISSUER, 2);
  for (const crd of ['a', 'b', 'c', 'd', 'a']) counts.count(claimsOf({ crd }), ['read'], true);
  counts.count(claimsOf({ crd: 'e' }), ['read'], false);
  const taken = counts.take();
  expect(taken.rows.map(({ ok }) => ok)).toEqual([2, 1]);
  expect(taken.uncounted).toEqual({ ok: 2, denied: 1 });
});

test('names that the authority would not take are only said to have been there', () => {
  const counts = new UseCounts(ISSUER);
  counts.count(claimsOf({ iss: 'https://foreign.test', client_id: 'näme' }), ['read'], true);
  counts.count(claimsOf({ iss: 'https://foreign.test', client_id: 'x'.repeat(257) }), ['read'], true);
  counts.count(claimsOf(), ['s'.repeat(129)], false);
  expect(counts.take()).toEqual({ rows: [], uncounted: { ok: 2, denied: 1 } });
});

test('whatever comes in whatever order, nothing is lost and nothing made up, and room is never exceeded', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'ü');
  const call = fc.record({
    crd: name,
    acs: name,
    iss: fc.constantFrom(ISSUER, 'https://foreign.test'),
    scope: fc.array(fc.constantFrom('read', 'write', 'x'.repeat(200)), { maxLength: 2 }),
    ok: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(fc.option(call), { maxLength: 80 }),
      fc.integer({ min: 1, max: 8 }),
      (calls, limit) => {
        const counts = new UseCounts(ISSUER, limit);
        let expected: [number, number] = [0, 0];
        let got: [number, number] = [0, 0];
        const take = (): void => {
          const taken = counts.take();
          expect(taken.rows.length).toBeLessThanOrEqual(limit);
          const [ok, denied] = total(taken);
          got = [got[0] + ok, got[1] + denied];
        };
        for (const each of calls) {
          if (each === null) take();
          else {
            counts.count(claimsOf(each as object), each.scope, each.ok);
            const times = Math.max(1, each.scope.length);
            expected = each.ok ? [expected[0] + times, expected[1]] : [expected[0], expected[1] + times];
          }
        }
        take();
        expect(got).toEqual(expected);
      },
    ),
  );
});
