import { createHash } from 'node:crypto';
import type { RandomBytes } from '../src/ids.ts';

export interface Chance {
  /** A whole number from 0 on. */
  upTo(below: number): number;
  is(probability: number): boolean;
  oneOf<T>(list: readonly T[]): T;
}

/** Chance that is the same for the same seed: a linear congruential generator (Park and Miller, 1988). */
export function chanceOf(seed: number): Chance {
  let state = seed;
  const next = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  const upTo = (below: number): number => Math.floor(next() * below);
  return {
    upTo,
    is: (probability: number): boolean => next() < probability,
    oneOf: <T>(list: readonly T[]): T => list[upTo(list.length)] as T,
  };
}

/** Lists are in the order of ids: with others than these, chance would meet others too. */
export function bytesOf(seed: number): RandomBytes {
  let block = 0;
  let left = Buffer.alloc(0);
  return (size) => {
    while (left.length < size)
      left = Buffer.concat([left, createHash('sha256').update(`${seed} ${block++}`).digest()]);
    const bytes = left.subarray(0, size);
    left = left.subarray(size);
    return bytes;
  };
}
