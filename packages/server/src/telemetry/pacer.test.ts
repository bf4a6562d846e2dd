import { expect, test } from 'vitest';
import { BRISK, CALM, createGiveWay, createPacer, createShift, paceAfter } from './pacer.ts';

const never = new AbortController().signal;

function scene(pace = BRISK) {
  const pauses: number[] = [];
  const loop = { worked: 0 };
  const pacer = createPacer(
    pace,
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

test('work that nobody waits for takes a twenty-fifth of a processor', async () => {
  const { pauses, loop, pacer } = scene(CALM);
  for (let piece = 0; piece < 12; piece++) {
    loop.worked += 1;
    await pacer.breathe(never);
  }
  expect(pauses).toEqual([96, 96, 96]);
  loop.worked += 10_000;
  await pacer.breathe(never);
  expect(pauses.at(-1)).toBe(250);
});

test('a round that took too long takes shorter pauses the next time, down to two fifths of a processor, and longer ones again', () => {
  const hurried = paceAfter(CALM, 3000, 1000);
  expect(hurried.pauses).toBe(8);
  expect(paceAfter(hurried, 500, 1000).pauses).toBe(16);
  expect(paceAfter(hurried, 0, 1000)).toEqual(CALM);
  expect(paceAfter(CALM, 1e9, 1000).pauses).toBe(1.5);
});

test('a pause ends for who is told to stop', async () => {
  const loop = { worked: 0 };
  const pacer = createPacer({ pauses: 1000, longestMs: 60_000 }, () => loop.worked);
  const stopping = new AbortController();
  loop.worked += 60;
  const breath = pacer.breathe(stopping.signal);
  setTimeout(() => stopping.abort(), 10);
  await breath;
  expect(stopping.signal.aborted).toBe(true);
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
