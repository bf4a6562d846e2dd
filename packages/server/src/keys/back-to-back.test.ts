import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { backToBack } from './back-to-back.ts';

it('performs what one turn asked for in one go, in the order asked, before anybody hears of it', async () => {
  const order: string[] = [];
  const perform = backToBack((job: number) => {
    order.push(`performed ${job}`);
    return job * 2;
  });
  const jobs = [1, 2, 3].map((job) => perform(job).then((result) => order.push(`heard ${result}`)));
  expect(order).toEqual([]);
  await Promise.all(jobs);
  expect(order).toEqual(['performed 1', 'performed 2', 'performed 3', 'heard 2', 'heard 4', 'heard 6']);
});

it('gives a fault to its own caller alone', async () => {
  const perform = backToBack((job: number) => {
    if (job === 2) throw new RangeError('two');
    return job;
  });
  const outcomes = await Promise.allSettled([perform(1), perform(2), perform(3)]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

it('leaves all beyond 64 to the next turns', async () => {
  let performed = 0;
  const perform = backToBack(() => ++performed);
  const jobs = Array.from({ length: 150 }, () => perform(undefined));
  await nextTurn();
  expect(performed).toBe(64);
  expect((await Promise.all(jobs)).at(-1)).toBe(150);
});
