// The examples of COSE (RFC 9052) and of CWT (RFC 8392 appendix A), made by others.
import { createPublicKey, type JsonWebKeyInput } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { coseVectors } from '../test/vectors.ts';
import { type CoseMessage, readCose } from './cose-message.ts';
import { openEncrypt0 } from './encrypt0.ts';
import { verifyMac0 } from './mac0.ts';
import { verifySign1 } from './sign1.ts';

const { there, title, folder, read } = coseVectors();

const NUMBERS: { readonly [name: string]: number } = {
  ES256: -7,
  ES384: -35,
  ES512: -36,
  EdDSA: -8,
  'HS256/64': 4,
  HS256: 5,
  HS384: 6,
  HS512: 7,
  A128GCM: 1,
  A192GCM: 2,
  A256GCM: 3,
  'AES-CCM-16-128/64': 10,
  'AES-CCM-16-256/64': 11,
  'AES-CCM-64-128/64': 12,
  'AES-CCM-64-256/64': 13,
  'AES-CCM-16-128/128': 30,
  'AES-CCM-16-256/128': 31,
  'AES-CCM-64-128/128': 32,
  'AES-CCM-64-256/128': 33,
};

/** Good messages that are not taken here, and why. */
const REFUSED_BY_DESIGN: ReadonlySet<string> = new Set([
  // A token says what it is: without a tag anything of that shape would do.
  'sign1-tests/sign-pass-03.json',
  'mac0-tests/mac-pass-03.json',
  'encrypted-tests/enc-pass-03.json',
  // ES512 with a P-256 key: a key is for one algorithm, and a signature of that has 132 bytes.
  'ecdsa-examples/ecdsa-sig-04.json',
  // A nonce in part, and AES-MAC: nothing that we talk to uses them.
  'RFC8152/Appendix_C_4_2.json',
  'RFC8152/Appendix_C_6_1.json',
]);

type Vector = ReturnType<typeof read>;

function messageOf(vector: Vector): CoseMessage | undefined {
  const bytes = Buffer.from(vector.output.cbor, 'hex');
  const parsed = readCose(bytes, { maxBytes: 2048, maxDepth: 6 });
  return parsed.ok ? parsed.message : undefined;
}

function hex(text: string | undefined): Uint8Array {
  return Buffer.from(text ?? '', 'hex');
}

/** base64url in JWK's way, or hex in the way of the CWT examples. */
function jwkMember(key: Vector, name: string): string | undefined {
  const asHex = key[`${name}_hex`];
  return asHex === undefined ? key[name] : Buffer.from(asHex, 'hex').toString('base64url');
}

function publicKeyOf(key: Vector) {
  const jwk = { kty: key.kty, crv: key.crv, x: jwkMember(key, 'x'), y: jwkMember(key, 'y') };
  return createPublicKey({ key: jwk, format: 'jwk' } as JsonWebKeyInput);
}

function secretOf(key: Vector): Uint8Array {
  return key.k_hex === undefined ? Buffer.from(key.k, 'base64url') : hex(key.k_hex);
}

/** What the message says when it holds; undefined when it does not. */
function opened(vector: Vector): Uint8Array | undefined {
  const message = messageOf(vector);
  if (message === undefined) return undefined;
  const { sign0, mac0, encrypted } = vector.input;
  const how = sign0 ?? mac0 ?? encrypted;
  const key = how.key ?? how.recipients[0].key;
  const alg = NUMBERS[how.alg ?? how.protected?.alg ?? how.unprotected?.alg] as number;
  const aad = hex(how.external);
  if (sign0 !== undefined)
    return verifySign1(message, { alg, key: publicKeyOf(key) }, aad) ? message.body : undefined;
  const secret = { alg, key: secretOf(key) };
  if (mac0 !== undefined) return verifyMac0(message, secret, aad) ? message.body : undefined;
  return openEncrypt0(message, secret, aad);
}

/** Messages of several signers or recipients are none of these. */
function isOfOne(vector: Vector): boolean {
  const { sign0, mac0, encrypted } = vector.input;
  return (sign0 ?? mac0 ?? encrypted) !== undefined;
}

describe.skipIf(!there)(title, () => {
  const names = there
    ? [
        'sign1-tests',
        'mac0-tests',
        'encrypted-tests',
        'ecdsa-examples',
        'eddsa-examples',
        'aes-ccm-examples',
        'CWT',
        'RFC8152',
      ]
        .flatMap((each) => folder(each).map((file) => `${each}/${file}`))
        .filter((file) => isOfOne(read(file)))
    : [];

  it('has as many as it had', () => expect(names.length).toBeGreaterThanOrEqual(50));

  it.each(names)('%s', (file) => {
    const vector = read(file);
    const isGood = vector.fail !== true && !REFUSED_BY_DESIGN.has(file);
    const text = opened(vector);
    expect(text !== undefined).toBe(isGood);
    if (!isGood || file.startsWith('CWT/A_6')) return;
    const expected = vector.input.plaintext_hex ?? Buffer.from(vector.input.plaintext).toString('hex');
    expect(Buffer.from(text as Uint8Array).toString('hex')).toBe(expected.toLowerCase());
  });
});
