import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bearerChallenge } from './challenge.ts';

it('a request without token is told the scheme and nothing of an error', () => {
  expect(bearerChallenge({})).toBe('Bearer');
  expect(
    bearerChallenge({ resource_metadata: 'https://a.example/.well-known/oauth-protected-resource' }),
  ).toBe('Bearer resource_metadata="https://a.example/.well-known/oauth-protected-resource"');
});

it('the attributes come quoted, each once', () => {
  expect(
    bearerChallenge({ realm: 'a "b" \\', error: 'insufficient_scope', error_description: 'x', scope: 'a b' }),
  ).toBe('Bearer realm="a \\"b\\" \\\\", error="insufficient_scope", error_description="x", scope="a b"');
});

it('no value can end its quotes or its line (property)', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(bearerChallenge({ realm: text, error_description: text, scope: text })).toMatch(
        /^Bearer realm="(?:[^"\\\x00-\x1f\x7f-\uffff]|\\["\\])*", error_description="[^"\\\x00-\x1f\x7f-\uffff]*", scope="[^"\\\x00-\x1f\x7f-\uffff]*"$/,
      );
    }),
  );
});
