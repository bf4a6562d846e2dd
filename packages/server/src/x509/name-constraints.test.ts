import { expect, it } from 'vitest';
import { element } from '../../test/client-authority.ts';
import { DerError, DerReader } from './der.ts';
import type { GeneralName } from './general-name.ts';
import { allows, readNameConstraints } from './name-constraints.ts';

const excluding = (form: 'dns' | 'uri', base: string, name: string): boolean =>
  allows({ permitted: [], excluded: [{ form, text: base }] }, [{ form, text: name } as GeneralName]);

it('the host of a URI with a dot at its end is no way around an exclusion', () => {
  expect(excluding('uri', 'evil.test', 'spiffe://evil.test./x')).toBe(false);
  expect(excluding('uri', 'evil.test', 'https://a..evil.test/x')).toBe(false);
  expect(excluding('uri', 'evil.test', 'https://.evil.test/x')).toBe(false);
  expect(excluding('uri', 'evil.test', 'https://good.test/x')).toBe(true);
});

it('a URI that names a user is inside nothing: readers disagree on which part is the host', () => {
  const base = [{ form: 'uri', text: 'good.test' } as const];
  for (const text of [
    'https://evil.test@good.test/',
    'https://good.test:80@evil.test/',
    'https://@good.test/',
  ])
    for (const constraints of [
      { permitted: base, excluded: [] },
      { permitted: [], excluded: base },
    ])
      expect(allows(constraints, [{ form: 'uri', text }]), text).toBe(false);
});

it('a wildcard that covers an excluded host is excluded, one beside it is not', () => {
  expect(excluding('dns', 'a.evil.test', '*.evil.test')).toBe(false);
  expect(excluding('dns', '.a.evil.test', '*.evil.test')).toBe(false);
  expect(excluding('dns', 'evil.test', '*.evil.test')).toBe(false);
  expect(excluding('dns', 'a.evil.test', '*.good.test')).toBe(true);
  expect(excluding('dns', 'evil.test', '*.notevil.test')).toBe(true);
});

const encoded = (number: 0 | 1, tag: number, content: string | Uint8Array): DerReader =>
  new DerReader(element(0xa0 | number, element(0x30, element(tag, Buffer.from(content as string)))));
const [EMAIL, DNS, URI, IP] = [0x81, 0x82, 0x86, 0x87];

it.each<[number, string | Uint8Array]>([
  [DNS, 'evil.test'],
  [DNS, '.evil.test'],
  [DNS, ''],
  [URI, 'evil.test'],
  [URI, '.evil.test'],
  [EMAIL, 'evil.test'],
  [EMAIL, '.evil.test'],
  [EMAIL, 'a@evil.test'],
  [IP, Uint8Array.of(10, 0, 0, 0, 255, 0, 0, 0)],
  [IP, Uint8Array.of(10, 1, 2, 3, 255, 255, 255, 255)],
  [IP, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0)],
  [IP, new Uint8Array(32).fill(255, 16, 24)],
])('a constraint that names can be compared with is read: %i %s', (tag, content) => {
  expect(readNameConstraints(encoded(1, tag, content)).excluded).toHaveLength(1);
});

it.each<[number, string | Uint8Array]>([
  [DNS, '*.evil.test'],
  [DNS, 'evil.test.'],
  [DNS, '..evil.test'],
  [DNS, 'evil.test:443'],
  [URI, 'https://evil.test'],
  [URI, 'evil.test/'],
  [URI, 'evil.test.'],
  [URI, '[::1]'],
  [EMAIL, '@evil.test'],
  [EMAIL, '*@evil.test.'],
  [EMAIL, 'a@b@evil.test'],
  [IP, Uint8Array.of(10, 0, 0, 0)],
  [IP, Uint8Array.of(10, 0, 0, 0, 255, 0, 255, 0)],
  [IP, Uint8Array.of(10, 0, 0, 1, 0, 0, 0, 255)],
])(
  'one that no name would be found in is refused, or an exclusion would exclude nothing: %i %s',
  (tag, content) => {
    for (const number of [0, 1] as const)
      expect(() => readNameConstraints(encoded(number, tag, content))).toThrow(DerError);
  },
);
