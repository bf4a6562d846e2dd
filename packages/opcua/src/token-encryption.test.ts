// The token secret of OPC 10000-4 §7.40.2.2.
import { generateKeyPairSync, privateDecrypt, constants } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encryptSecret, packSecret, TOKEN_ENCRYPTIONS, unpackSecret } from './token-encryption.ts';

const bytes = (min: number, max: number) =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((array) => Buffer.from(array));

test('what was packed with a nonce is unpacked with it and with no other', () => {
  fc.assert(
    fc.property(bytes(1, 2000), bytes(32, 32), bytes(32, 32), (token, nonce, other) => {
      const packed = packSecret(token, nonce);
      expect(unpackSecret(packed, nonce)).toEqual(token);
      if (!nonce.equals(other)) expect(unpackSecret(packed, other)).toBeUndefined();
      expect(unpackSecret(Buffer.concat([packed, Buffer.of(0)]), nonce)).toBeUndefined();
    }),
    { numRuns: 200 },
  );
});

test('whatever comes, unpacking neither throws nor finds a token in it', () => {
  fc.assert(
    fc.property(bytes(0, 300), bytes(0, 40), (packed, nonce) => {
      expect(unpackSecret(packed, nonce)).toBeUndefined();
    }),
    { numRuns: 10_000 },
  );
});

test('no nonce at all is no nonce', () => {
  expect(unpackSecret(packSecret(Buffer.from('token'), Buffer.alloc(0)), Buffer.alloc(0))).toBeUndefined();
});

test.each(Object.entries(TOKEN_ENCRYPTIONS))('%s encrypts block by block', (_policy, encryption) => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const text = Buffer.from('x'.repeat(700));
  const sealed = encryptSecret(text, publicKey, encryption!);
  expect(sealed.length).toBe(256 * Math.ceil(700 / (256 - encryption!.padding)));
  const opened = [];
  for (let at = 0; at < sealed.length; at += 256) {
    const how = {
      key: privateKey,
      padding: constants.RSA_PKCS1_OAEP_PADDING,
      oaepHash: encryption!.oaepHash,
    };
    opened.push(privateDecrypt(how, sealed.subarray(at, at + 256)));
  }
  expect(Buffer.concat(opened)).toEqual(text);
});
