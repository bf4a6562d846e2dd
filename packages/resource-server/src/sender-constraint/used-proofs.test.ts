import { expect, it } from 'vitest';
import { rememberUsedProofs, USED_PROOFS_LIMIT, UsedProofsFull } from './used-proofs.ts';

let now = 1000;
const clock = () => now;

it('a proof is good once, until it has expired and is forgotten', () => {
  now = 1000;
  const used = rememberUsedProofs(clock);
  expect([used.claim('a', 1061), used.claim('a', 1061), used.claim('b', 1061)]).toEqual([true, false, true]);
  now = 1060;
  expect(used.claim('a', 1061)).toBe(false);
});

it('a clock that is set back makes no forgotten proof new, and bars new ones for no longer than a proof lives', () => {
  now = 1000;
  const used = rememberUsedProofs(clock);
  expect(used.claim('a', 1061)).toBe(true);
  now = 5000;
  expect(used.claim('other', 5061)).toBe(true);
  now = 1001;
  expect(used.claim('a', 1061)).toBe(false);
  expect(used.claim('new', 1062)).toBe(true);
});

it('more than the limit are not taken, and none of those remembered is forgotten for them', async () => {
  now = 1000;
  const used = rememberUsedProofs(clock, 3);
  for (const id of ['a', 'b', 'c']) expect(used.claim(id, 1061)).toBe(true);
  expect(() => used.claim('d', 1061)).toThrow(UsedProofsFull);
  for (const id of ['a', 'b', 'c']) expect(used.claim(id, 1061)).toBe(false);
  now = 1061;
  expect(used.claim('d', 1122)).toBe(true);
});

it('100,000 fit unless told otherwise, and one more does not', () => {
  now = 1000;
  const used = rememberUsedProofs(clock);
  for (let i = 0; i < USED_PROOFS_LIMIT; i++) void used.claim(`id${i}`, 1061);
  expect(USED_PROOFS_LIMIT).toBe(100_000);
  expect(() => used.claim('one more', 1061)).toThrow(UsedProofsFull);
});

it('one that lasts longer holds none back for good', () => {
  now = 1000;
  const used = rememberUsedProofs(clock, 2);
  void used.claim('long', 1090);
  void used.claim('short', 1030);
  now = 1091;
  expect([used.claim('x', 1150), used.claim('y', 1150)]).toEqual([true, true]);
});
