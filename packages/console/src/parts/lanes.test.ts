import { expect, test } from 'vitest';
import { frameOf, laneOf } from './lanes.ts';

const DAY = 86_400_000;
const NOW = Date.parse('2026-11-30T12:00:00Z');

test('without a credential a week back and a month ahead are shown', () => {
  expect(frameOf([], NOW)).toEqual({ start: NOW - 7 * DAY, end: NOW + 30 * DAY });
});

test('what is longer than half a year back or a year ahead is cut, and says so', () => {
  const span = { from: NOW - 900 * DAY, to: NOW + 3000 * DAY };
  const frame = frameOf([span], NOW);
  expect(frame).toEqual({ start: NOW - 180 * DAY, end: NOW + 365 * DAY });
  expect(laneOf(span, frame, 500)).toEqual({ from: 0, width: 500, cutLeft: true, cutRight: true });
});

test('the shortest span can still be seen', () => {
  expect(laneOf({ from: NOW, to: NOW }, frameOf([], NOW), 500).width).toBe(2);
});
