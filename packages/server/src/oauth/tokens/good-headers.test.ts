import { expect, it } from 'vitest';
import { goodHeaders, MAX_HEADER_CHARS, MAX_HEADERS } from './good-headers.ts';

it('no more are known than there may be, and none that is long', () => {
  const headers = goodHeaders();
  const header = { alg: 'ES256' };
  headers.remember({ header, headerPart: 'a'.repeat(MAX_HEADER_CHARS + 1) });
  expect(headers.known.size).toBe(0);
  for (let at = 0; at < MAX_HEADERS * 2 + 1; at++) {
    headers.remember({ header: { alg: 'ES256', kid: String(at) }, headerPart: `h${at}` });
    expect(headers.known.size).toBeLessThanOrEqual(MAX_HEADERS);
  }
  expect(headers.known.get(`h${MAX_HEADERS * 2}`)).toEqual({ alg: 'ES256', kid: String(MAX_HEADERS * 2) });
  headers.remember({ header, headerPart: `h${MAX_HEADERS * 2}` });
  expect(headers.known.get(`h${MAX_HEADERS * 2}`)).toMatchObject({ kid: String(MAX_HEADERS * 2) });
});
