import { expect, it } from 'vitest';
import { ProofShareUsedUp } from '../storage/errors.ts';
import { UsedOnceShares } from './used-once-shares.ts';

const NOW = 1_800_000_000;

/** How many more of a holder's proofs go in, one at a time. */
function room(shares: UsedOnceShares, holder: string, now: number, until = now + 60): number {
  for (let taken = 0; ; taken++) {
    try {
      shares.require(holder, now);
    } catch (error) {
      if (error instanceof ProofShareUsedUp) return taken;
      throw error;
    }
    shares.add(holder, until, now);
  }
}

it('gives each holder the same, whatever the others have used', () => {
  const shares = new UsedOnceShares(1000);
  expect([room(shares, 'a', NOW), room(shares, 'b', NOW), room(shares, 'a', NOW)]).toEqual([1000, 1000, 0]);
});

it('is 250,000 where nothing else is said', () => {
  expect(room(new UsedOnceShares(), 'a', NOW)).toBe(250_000);
});

it('says when there is room again, and there is', () => {
  const shares = new UsedOnceShares(10);
  room(shares, 'a', NOW, NOW + 3700);
  let told: unknown;
  try {
    shares.require('a', NOW);
  } catch (error) {
    told = error;
  }
  expect(told).toMatchObject({ holder: 'a' });
  const { retryAfter } = told as ProofShareUsedUp;
  expect(retryAfter).toBeGreaterThan(3700);
  // A minute is counted together.
  expect(retryAfter).toBeLessThanOrEqual(3700 + 64 + 1);
  expect(room(shares, 'a', NOW + retryAfter - 1)).toBe(0);
  expect(room(shares, 'a', NOW + retryAfter)).toBe(10);
});

it('forgets span by span: who asks evenly is never refused for what has expired', () => {
  const shares = new UsedOnceShares(1000);
  // Seven a second for a minute, each counted for two at most.
  for (let at = NOW; at < NOW + 10_000; at++) {
    for (let each = 0; each < 7; each++) {
      shares.require('a', at);
      shares.add('a', at + 60, at);
    }
  }
  expect(room(shares, 'a', NOW + 10_000)).toBeLessThan(1000 - 7 * 60);
});

it('counts proofs that are remembered for days together in longer spans, and none of them less', () => {
  const shares = new UsedOnceShares(10_000);
  for (let at = 0; at < 10_000; at++) shares.add('a', NOW + at * 60, NOW);
  expect(room(shares, 'a', NOW)).toBe(0);
  expect(room(shares, 'a', NOW + 9_999 * 60)).toBeLessThan(10_000);
  expect(room(shares, 'a', NOW + 20_000 * 60)).toBe(10_000);
});

it('is of a bounded number of holders, and forgets none that has used much', () => {
  const shares = new UsedOnceShares(1000, 100);
  expect(room(shares, 'flood', NOW)).toBe(1000);
  for (let at = 0; at < 1000; at++) shares.add(`client ${at}`, NOW + 60, NOW);
  expect(shares.size).toBe(100);
  expect(room(shares, 'flood', NOW)).toBe(0);
});

it('stays bounded where all have used much', () => {
  const shares = new UsedOnceShares(100, 300);
  for (let at = 0; at < 1000; at++) shares.add(`client ${at}`, NOW + 60, NOW, 50);
  expect(shares.size).toBe(300);
});

it('keeps of large shares alone what another process goes on from', () => {
  const shares = new UsedOnceShares(1000);
  room(shares, 'flood', NOW, NOW + 3000);
  for (let at = 0; at < 10; at++) shares.add('payments', NOW + 60, NOW);
  shares.add('gone', NOW + 60, NOW, 900);
  const text = shares.large(NOW + 1000);
  expect(text).toContain('flood');
  expect(text).not.toMatch(/payments|gone/);
  const next = new UsedOnceShares(1000);
  next.restore(text, NOW + 1000);
  expect([room(next, 'flood', NOW + 1000), room(next, 'payments', NOW + 1000)]).toEqual([0, 1000]);
  const later = new UsedOnceShares(1000);
  later.restore(text, NOW + 4000);
  expect([later.size, new UsedOnceShares().large(NOW)]).toEqual([0, '[]']);
});
