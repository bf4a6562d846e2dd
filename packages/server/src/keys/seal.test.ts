import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pooledRandom } from '../ids.ts';
import { createSeal } from './seal.ts';

const KEY = new Uint8Array(32).fill(7);
const seal = createSeal(KEY, pooledRandom());

describe('what is sealed', () => {
  it('opens to what it was, for any bytes and context (property)', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.string({ unit: 'grapheme' }), (plain, context) => {
        expect(Buffer.from(seal.open(seal.seal(plain, context), context))).toEqual(Buffer.from(plain));
      }),
    );
  });

  it('is another text each time, and tells nothing', () => {
    const plain = Buffer.from('the same plain text');
    const texts = Array.from({ length: 100 }, () => seal.seal(plain, 'a'));
    expect(new Set(texts).size).toBe(100);
    for (const text of texts) {
      expect(text).toMatch(/^v1\.[A-Za-z0-9_-]+$/);
      expect(Buffer.from(text.slice(3), 'base64url').includes('plain')).toBe(false);
    }
  });

  it('does not open under another context or key', () => {
    const sealed = seal.seal(Buffer.from('x'), 'signing-key/key_1');
    expect(() => seal.open(sealed, 'signing-key/key_2')).toThrow(/authenticate|too short/);
    const other = createSeal(new Uint8Array(32).fill(8), pooledRandom());
    expect(() => other.open(sealed, 'signing-key/key_1')).toThrow(/authenticate|too short/);
  });

  it('does not open when any byte of it was changed, or some are missing', () => {
    const sealed = seal.seal(Buffer.from('secret'), 'a');
    const bytes = Buffer.from(sealed.slice(3), 'base64url');
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ 1;
      expect(() => seal.open(`v1.${changed.toString('base64url')}`, 'a'), `byte ${at}`).toThrow(
        /authenticate|too short/,
      );
      expect(() => seal.open(`v1.${bytes.subarray(0, at).toString('base64url')}`, 'a')).toThrow(
        /authenticate|too short/,
      );
    }
    expect(() => seal.open('', 'a')).toThrow('unknown format');
    expect(() => seal.open(`v2.${sealed.slice(3)}`, 'a')).toThrow('unknown format');
    expect(() => seal.open('v1.', 'a')).toThrow('too short');
  });

  it('is AES-256-GCM with the context as additional data, so that anything can open it that has the key', () => {
    const nonce = Buffer.alloc(12, 1);
    const fixed = createSeal(KEY, (size) => Buffer.alloc(size, 1));
    const cipher = createCipheriv('aes-256-gcm', KEY, nonce).setAAD(Buffer.from('ctx'));
    const body = Buffer.concat([nonce, cipher.update('plain'), cipher.final(), cipher.getAuthTag()]);
    expect(fixed.seal(Buffer.from('plain'), 'ctx')).toBe(`v1.${body.toString('base64url')}`);
  });
});
