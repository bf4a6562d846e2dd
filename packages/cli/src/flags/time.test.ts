import { expect, test } from 'vitest';
import { NOW } from '../../test/fake-host.ts';
import { parseInstant, parseSpan, relative } from './time.ts';

test('spans are whole numbers with one unit', () => {
  expect(parseSpan('90d')).toBe(90 * 86_400_000);
  expect(parseSpan('12h')).toBe(12 * 3_600_000);
  for (const wrong of ['90', 'd', '0d', '1.5h', '-1d', '1y', '1d2h', ' 1d'])
    expect(parseSpan(wrong)).toBeUndefined();
});

test('an instant is a date, a time or a span, counted the way that makes sense', () => {
  expect(parseInstant('2027-01-31', NOW, 'ahead')).toBe('2027-01-31T00:00:00.000Z');
  expect(parseInstant('2027-01-31T12:00:00+02:00', NOW, 'ahead')).toBe('2027-01-31T10:00:00.000Z');
  expect(parseInstant('1d', NOW, 'ahead')).toBe('2026-11-22T12:00:00.000Z');
  expect(parseInstant('1d', NOW, 'back')).toBe('2026-11-20T12:00:00.000Z');
});

test('what is no instant is a mistake of the caller', () => {
  for (const wrong of ['tomorrow', '2027', '2027-13-01', '2027-01-31 12:00', '1700000000']) {
    expect(() => parseInstant(wrong, NOW, 'ahead')).toThrow(`${wrong} is no time.`);
  }
});

test('relative times use the largest unit that fits', () => {
  expect(relative('2027-02-19T12:00:00Z', NOW)).toBe('in 90d');
  expect(relative('2026-11-21T09:00:00Z', NOW)).toBe('3h ago');
  expect(relative('2026-11-21T12:00:00Z', NOW)).toBe('in 0s');
});
