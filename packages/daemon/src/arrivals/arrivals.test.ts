import { expect, test } from 'vitest';
import { Arrivals } from './arrivals.ts';

test('an IPv6 network is one source, whatever the rest of its addresses says', () => {
  const arrivals = new Arrivals({ most: 10, mostOfOne: 2 });
  const taken = ['2001:db8:1:2::1', '2001:db8:1:2:3::9', '2001:db8:1:2:ffff::'].map(
    (address) => arrivals.take({ address }) !== undefined,
  );
  expect(taken).toEqual([true, true, false]);
  expect(arrivals.take({ address: '2001:db8:1:3::1' })).toBeDefined();
});

test('nobody gives way to an address that has as many already', () => {
  const arrivals = new Arrivals({ most: 4, mostOfOne: 4 });
  let gaveWay = 0;
  const take = (address: string) => arrivals.take({ address, giveUp: () => gaveWay++ });
  for (const address of ['a', 'a', 'a', 'b']) expect(take(address)).toBeDefined();
  expect(take('b')).toBeDefined();
  expect([gaveWay, arrivals.taken]).toEqual([1, 4]);
  expect([take('b'), take('a')]).toEqual([undefined, undefined]);
  expect([gaveWay, arrivals.taken]).toEqual([1, 4]);
});

test('an address that stands for many has no share, and gives way to nobody', () => {
  const arrivals = new Arrivals({ most: 4, mostOfOne: 2 });
  const gaveWay: string[] = [];
  const take = (address: string, standsForMany = false) =>
    arrivals.take({ address, standsForMany, giveUp: () => gaveWay.push(address) });
  for (const _ of [1, 2, 3]) expect(take('proxy', true)).toBeDefined();
  expect([take('a') !== undefined, take('b')]).toEqual([true, undefined]);
  take('proxy', true)?.();
  expect([gaveWay, arrivals.taken]).toEqual([[], 4]);
});

test('who leaves twice has left once', () => {
  const arrivals = new Arrivals({ most: 2, mostOfOne: 2 });
  const leave = arrivals.take({ address: 'a' });
  arrivals.take({ address: 'a' });
  leave?.();
  leave?.();
  expect(arrivals.taken).toBe(1);
});
