import { expect, test } from 'vitest';
import { isConnected, worstCase } from './exposure.ts';

const NOW = 1_800_000_000_000;
const of = (onStale: string, silentFor: number, staleAfter = 10) =>
  worstCase({ lastSeenAt: NOW - silentFor * 1000, staleAfter, onStale }, NOW, 600);

test('one that refuses takes such a token until its feed counts as stale', () => {
  expect(of('refuse', 0)).toBe(15);
  expect(of('refuse', 12)).toBe(3);
  expect(of('refuse', 3600)).toBe(0);
  expect(of('refuse', 0, 3600)).toBe(600);
});

test('one that accepts young tokens takes them for so long, however long it has been silent', () => {
  expect(of('accept_younger_than:60', 0)).toBe(60);
  expect(of('accept_younger_than:60', 3600)).toBe(60);
  expect(of('accept_younger_than:5', 0)).toBe(15);
  expect(of('accept_younger_than:9999', 0)).toBe(600);
});

test('one that asks instead may use an answer of before for as long as the feed may be silent', () => {
  expect(of('introspect', 3600)).toBe(10);
  expect(of('introspect', 0)).toBe(15);
});

test('a follower counts as connected for as long as it would believe its last page, within half a minute', () => {
  const seen = (silentFor: number, staleAfter: number) =>
    isConnected(
      {
        resourceServerId: 'r',
        instance: 'i',
        proven: true,
        staleAfter,
        onStale: 'refuse',
        firstSeenAt: 0,
        lastSeenAt: NOW - silentFor * 1000,
      },
      NOW,
    );
  expect([seen(15, 10), seen(16, 10), seen(30, 3600), seen(31, 3600)]).toEqual([true, false, true, false]);
});
