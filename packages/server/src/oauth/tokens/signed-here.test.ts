import { hash } from 'node:crypto';
import { expect, it } from 'vitest';
import { signedHere } from './signed-here.ts';

const digestOf = (text: string): string => hash('sha256', text, 'binary');

it('has what was added, and nothing else, not even what differs in one of the bits compared', () => {
  const tokens = signedHere();
  const digest = digestOf('token');
  expect(tokens.has(digest)).toBe(false);
  tokens.add(digest);
  expect(tokens.has(digest)).toBe(true);
  for (let bit = 0; bit < 128; bit++) {
    const bytes = Buffer.from(digest, 'latin1');
    bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
    expect(tokens.has(bytes.toString('latin1'))).toBe(false);
  }
});

it('forgets the oldest of a set, and holds most of as many as there is room for', () => {
  const tokens = signedHere(1);
  const [first, ...others] = ['a', 'b', 'c', 'd', 'e'].map(digestOf) as [string, ...string[]];
  for (const each of [first, ...others]) tokens.add(each);
  expect(tokens.has(first)).toBe(false);
  expect(others.every((each) => tokens.has(each))).toBe(true);

  const many = signedHere(256);
  const digests = Array.from({ length: 1024 }, (_, at) => digestOf(`token ${at}`));
  for (const each of digests) many.add(each);
  expect(digests.slice(-512).filter((each) => many.has(each)).length).toBeGreaterThan(450);
});
