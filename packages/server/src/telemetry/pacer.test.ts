import { expect, test } from 'vitest';
import { createGiveWay, createPacer, createShift } from './pacer.ts';

const never = new AbortController().signal;

function scene() {
  const pauses: number[] = [];
  const loop = { worked: 0 };
  const pacer = createPacer(
    () => loop.worked,
    async (ms) => void pauses.push(ms),
  );
  return { pauses, loop, pacer };
}

test('small pieces of work follow one another; after some milliseconds of it there is a pause', async () => {
  const { pauses, loop, pacer } = scene();
  for (let piece = 0; piece < 12; piece++) {
    loop.worked += 1;
    await pacer.breathe(never);
  }
  expect(pauses).toEqual([2, 2, 2]);
});

test('who waits for a database has not worked, and pauses for nothing', async () => {
  const { pauses, pacer } = scene();
  for (let piece = 0; piece < 100; piece++) await pacer.breathe(never);
  expect(pauses).toEqual([]);
});

test('however long a piece was the pause has an end, and who is to stop has none', async () => {
  const { pauses, loop, pacer } = scene();
  loop.worked += 10_000;
  await pacer.breathe(never);
  loop.worked += 10_000;
  await pacer.breathe(AbortSignal.abort());
  expect(pauses).toEqual([25]);
});

test('what a caller waits for lets the event loop turn after some milliseconds of work, and never pauses', async () => {
  const loop = { worked: 0, turns: 0 };
  const giveWay = createGiveWay(
    () => loop.worked,
    async () => void loop.turns++,
  );
  for (let piece = 0; piece < 12; piece++) {
    loop.worked += 1;
    await giveWay();
  }
  expect(loop.turns).toBe(3);
});

test('a transaction of many ends after some milliseconds, whether it worked or waited', () => {
  let now = 0;
  const isOver = createShift(() => now);
  expect(isOver()).toBe(false);
  now = 10;
  expect(isOver()).toBe(true);
});
