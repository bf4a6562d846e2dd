import { expect, it } from 'vitest';
import { receivedErrorCode } from './error-response.ts';
import { parseTokenResponse } from './token-response.ts';

it('a token response is read with what is known of it', () => {
  expect(
    parseTokenResponse({ access_token: 'a', token_type: 'Bearer', expires_in: 60, scope: 'x', more: 1 }),
  ).toEqual({
    access_token: 'a',
    token_type: 'Bearer',
    expires_in: 60,
    scope: 'x',
  });
  expect(parseTokenResponse({ access_token: 'a', token_type: 'Bearer' })).toMatchObject({
    expires_in: undefined,
  });
});

it.each([
  null,
  [],
  {},
  { access_token: 'a' },
  { access_token: '', token_type: 'Bearer' },
  { access_token: 'a\r\nb', token_type: 'Bearer' },
  { access_token: 'a b', token_type: 'Bearer' },
  { access_token: 'a', token_type: 'Bearer', expires_in: '60' },
  { access_token: 'a', token_type: 'Bearer', expires_in: -1 },
  { access_token: 'a', token_type: 'Bearer', scope: ['x'] },
])('%j is not a token response', (value) => {
  expect(parseTokenResponse(value)).toBeUndefined();
});

it('an error is a code that can be printed', () => {
  expect(receivedErrorCode({ error: 'invalid_client' })).toBe('invalid_client');
  expect(receivedErrorCode({ error: 'a\nb' })).toBeUndefined();
  expect(receivedErrorCode({ error: 1 })).toBeUndefined();
  expect(receivedErrorCode('error')).toBeUndefined();
});
