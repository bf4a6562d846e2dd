import { expect, it } from 'vitest';
import type { GeneralName } from './general-name.ts';
import { allows } from './name-constraints.ts';

const excluding = (form: 'dns' | 'uri', base: string, name: string): boolean =>
  allows({ permitted: [], excluded: [{ form, text: base }] }, [{ form, text: name } as GeneralName]);

it('the host of a URI with a dot at its end is no way around an exclusion', () => {
  expect(excluding('uri', 'evil.test', 'spiffe://evil.test./x')).toBe(false);
  expect(excluding('uri', 'evil.test', 'https://a..evil.test/x')).toBe(false);
  expect(excluding('uri', 'evil.test', 'https://.evil.test/x')).toBe(false);
  expect(excluding('uri', 'evil.test', 'https://good.test/x')).toBe(true);
});

it('a wildcard that covers an excluded host is excluded, one beside it is not', () => {
  expect(excluding('dns', 'a.evil.test', '*.evil.test')).toBe(false);
  expect(excluding('dns', '.a.evil.test', '*.evil.test')).toBe(false);
  expect(excluding('dns', 'evil.test', '*.evil.test')).toBe(false);
  expect(excluding('dns', 'a.evil.test', '*.good.test')).toBe(true);
  expect(excluding('dns', 'evil.test', '*.notevil.test')).toBe(true);
});
