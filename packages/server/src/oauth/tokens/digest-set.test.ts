import { hash } from 'node:crypto';
import { expect, it } from 'vitest';
import { createDigestSet } from './digest-set.ts';

const digestOf = (text: string): string => hash('sha256', text, 'binary');

it('has what was added, and nothing else, not even what differs in one of the bits compared', () => {
  const some = createDigestSet(4096);
  const digest = digestOf('token');
  expect(some.has(digest)).toBe(false);
  some.add(digest);
  expect(some.has(digest)).toBe(true);
  for (let bit = 0; bit < 128; bit++) {
    const bytes = Buffer.from(digest, 'latin1');
    bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
    expect(some.has(bytes.toString('latin1'))).toBe(false);
  }
});

it('forgets the oldest of a set, and holds most of as many as there is room for', () => {
  const some = createDigestSet(1);
  const [first, ...others] = ['a', 'b', 'c', 'd', 'e'].map(digestOf) as [string, ...string[]];
  for (const each of [first, ...others]) some.add(each);
  expect(some.has(first)).toBe(false);
  expect(others.every((each) => some.has(each))).toBe(true);

  const many = createDigestSet(256);
  const digests = Array.from({ length: 1024 }, (_, at) => digestOf(`token ${at}`));
  for (const each of digests) many.add(each);
  expect(digests.slice(-512).filter((each) => many.has(each)).length).toBeGreaterThan(450);
});
