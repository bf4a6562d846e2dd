import { expect, test } from 'vitest';
import { createCredentialPlaces, neighbourhoodOf } from './credential-places.ts';

test('kinds of clients and their networks are told apart, and begin anew when they are taken', () => {
  const places = createCredentialPlaces();
  places.saw('crd_1', '10.1.2.3', 'curl/8');
  places.saw('crd_1', '10.1.9.9', 'curl/8');
  places.saw('crd_1', '2001:db8:1::1', 'python-requests/2');
  places.saw('crd_2', '10.1.2.3', undefined);
  expect(places.take()).toEqual(
    new Map([
      [
        'crd_1',
        new Map([
          ['curl', new Set(['10.1.0.0/16'])],
          ['python', new Set(['2001:db8::/32'])],
        ]),
      ],
      ['crd_2', new Map([['none', new Set(['10.1.0.0/16'])]])],
    ]),
  );
  expect(places.take().size).toBe(0);
});

test('memory is bounded: in credentials, and in the places of one', () => {
  const places = createCredentialPlaces(2);
  for (let each = 0; each < 10; each++) places.saw(`crd_${each}`, '10.0.0.1', 'curl/8');
  for (let each = 0; each < 1000; each++) places.saw('crd_0', `${each % 250}.${each % 7}.0.1`, 'node');
  const taken = places.take();
  expect(taken.size).toBe(2);
  const pairs = [...(taken.get('crd_0')?.values() ?? [])].reduce((sum, { size }) => sum + size, 0);
  expect(pairs).toBe(16);
});

test.each([
  ['192.0.2.7', '192.0.0.0/16'],
  ['::ffff:192.0.2.7', '192.0.0.0/16'],
  ['2001:DB8:5::1', '2001:db8::/32'],
  ['::1', '0:0::/32'],
  ['unknown', 'unknown:0::/32'],
])('%s is in %s', (address, network) => {
  expect(neighbourhoodOf(address)).toBe(network);
});
