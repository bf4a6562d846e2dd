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

it('one holder alone takes 72 % of the room and no more, and others are served', () => {
  now = 1000;
  const used = rememberUsedProofs(clock, 1000);
  let taken = 0;
  const greedy = (): void => {
    for (; taken < 2000; taken++) void used.claim(`greedy${taken}`, 1061, 'greedy');
  };
  expect(greedy).toThrow(UsedProofsFull);
  expect(taken).toBe(720);
  for (let i = 0; i < 144; i++) expect(used.claim(`good${i}`, 1061, 'good')).toBe(true);
  // What was shown stays used up for the greedy one too, and the others' proofs stay theirs.
  expect([used.claim('greedy0', 1061, 'greedy'), used.claim('good0', 1061, 'good')]).toEqual([false, false]);
});

it('ninety greedy holders leave room for one more: a proof a second', () => {
  now = 1000;
  const used = rememberUsedProofs(clock);
  for (let holder = 0; holder < 90; holder++) {
    const flood = (): void => {
      for (let i = 0; ; i++) void used.claim(`${holder}/${i}`, 1061, `greedy${holder}`);
    };
    expect(flood).toThrow(UsedProofsFull);
  }
  for (let i = 0; i < 91; i++) expect(used.claim(`good${i}`, 1061, 'good')).toBe(true);
});

it('what has expired counts for nobody', () => {
  now = 1000;
  const used = rememberUsedProofs(clock, 10);
  for (let i = 0; i < 8; i++) expect(used.claim(`a${i}`, 1061, 'a')).toBe(true);
  expect(() => used.claim('a8', 1061, 'a')).toThrow(UsedProofsFull);
  now = 1061;
  for (let i = 10; i < 18; i++) expect(used.claim(`a${i}`, 1122, 'a')).toBe(true);
});
