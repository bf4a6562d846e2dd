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

it('waits while each turn brings more, and four turns at the most', async () => {
  const batches: number[][] = [];
  let batch: number[] | undefined;
  const perform = backToBack((job: number) => {
    if (batch === undefined) batches.push((batch = []));
    batch.push(job);
    queueMicrotask(() => (batch = undefined));
  });
  const jobs: Promise<void>[] = [];
  for (let turn = 0; turn < 12; turn++) {
    jobs.push(perform(turn), perform(turn));
    await nextTurn();
  }
  await Promise.all(jobs);
  expect(batches.map(({ length }) => length)).toEqual([10, 10, 4]);
});

it('lets nobody who comes alone, time after time, wait for a second turn', async () => {
  let performed = 0;
  const perform = backToBack(() => ++performed);
  for (let times = 1; times <= 5; times++) {
    const job = perform(undefined);
    await nextTurn();
    expect(performed).toBe(times);
    await job;
  }
});

it('waits for no more where as many are there as go at once', async () => {
  let performed = 0;
  const perform = backToBack(() => ++performed);
  const jobs = Array.from({ length: 64 }, () => perform(undefined));
  await nextTurn();
  expect(performed).toBe(64);
  await Promise.all(jobs);
});
