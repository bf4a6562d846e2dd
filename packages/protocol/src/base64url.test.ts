import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeBase64url, encodeBase64url } from './base64url.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

it('any bytes come back (property)', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
      expect(decodeBase64url(encodeBase64url(bytes))).toEqual(bytes);
    }),
  );
});

it('of the texts for some bytes only one is read', () => {
  for (const bytes of [[], [255], [0, 16], [1, 2, 3], [251, 255, 0, 7]]) {
    const text = encodeBase64url(Uint8Array.from(bytes));
    for (let at = 0; at < text.length; at++) {
      for (let code = 0; code < 0x180; code++) {
        const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
        const read = decodeBase64url(changed);
        const isCanonical = Buffer.from(changed, 'base64url').toString('base64url') === changed;
        const isGood = ALPHABET.includes(String.fromCharCode(code)) && isCanonical;
        expect(read && [...read]).toEqual(isGood ? [...Buffer.from(changed, 'base64url')] : undefined);
      }
    }
    expect(decodeBase64url(`${text}=`)).toBeUndefined();
  }
});

it('one character alone is no byte', () => {
  for (const text of ['A', 'AAAAA', 'AAAAAAAAA']) expect(decodeBase64url(text)).toBeUndefined();
});
