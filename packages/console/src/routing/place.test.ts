import { expect, test } from 'vitest';
import { addressOf, placeOf } from './place.ts';

test('the root is the overview', () => {
  for (const path of ['/console', '/console/']) {
    expect(placeOf('/console', path, '')).toEqual({ screen: 'overview', subject: undefined, query: {} });
  }
  expect(addressOf('/console', { screen: 'overview' })).toBe('/console');
});

test.each(['payments', 'a/b', 'ä?&#', '100%', '..'])(
  'an address comes back as the place it is of: %s',
  (subject) => {
    const place = { screen: 'identities', subject, query: { text: 'x&y=z', state: 'active' } };
    const url = new URL(addressOf('/t1/console', place), 'https://a.example');
    // A browser takes dots out of a path: no identity is called so.
    if (subject !== '..') expect(placeOf('/t1/console', url.pathname, url.search)).toEqual(place);
  },
);

test('empty filters are not in an address', () => {
  expect(addressOf('/console', { screen: 'access', query: { text: '', scope: undefined } })).toBe(
    '/console/access',
  );
});

test('what is no good encoding is taken as it stands', () => {
  expect(placeOf('/console', '/console/identities/%zz', '').subject).toBe('%zz');
});
