// Keys that certificates hold: RFC 3279 §2.3.1, RFC 4055 §1.2, RFC 5480 §2, RFC 8410 §4; whatever it is, the process survives it.
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect, test } from 'vitest';
import { element } from '../../test/client-authority.ts';
import { usableKey } from './public-key.ts';

const oid = (hex: string): Uint8Array => element(0x06, Buffer.from(hex, 'hex'));
const bits = (bytes: Uint8Array | string, unused = 0): Uint8Array =>
  element(0x03, Uint8Array.of(unused), typeof bytes === 'string' ? Buffer.from(bytes, 'hex') : bytes);
const info = (algorithm: readonly Uint8Array[], key: Uint8Array): Uint8Array =>
  element(0x30, element(0x30, ...algorithm), key);
const NULL = element(0x05);
const RSA = oid('2a864886f70d010101');
const PSS = oid('2a864886f70d01010a');
const EC = oid('2a8648ce3d0201');
const CURVES = { 'P-256': '2a8648ce3d030107', 'P-384': '2b81040022', 'P-521': '2b81040023' } as const;
const ED25519 = oid('2b6570');
const ED448 = oid('2b6571');

function verdict(spki: Uint8Array): string {
  const key = usableKey(spki);
  return typeof key === 'string' ? key : key.kind;
}
const spkiOf = ({ publicKey }: { publicKey: KeyObject }): Buffer =>
  publicKey.export({ format: 'der', type: 'spki' });

test.each<[string, string, () => { publicKey: KeyObject }]>([
  ['RSA', 'rsa', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ['RSA-PSS', 'rsa-pss', () => generateKeyPairSync('rsa-pss', { modulusLength: 2048 })],
  [
    'RSA-PSS for one hash',
    'rsa-pss',
    () => generateKeyPairSync('rsa-pss', { modulusLength: 2048, hashAlgorithm: 'sha384' }),
  ],
  ['P-256', 'ec', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ['P-384', 'ec', () => generateKeyPairSync('ec', { namedCurve: 'P-384' })],
  ['P-521', 'ec', () => generateKeyPairSync('ec', { namedCurve: 'P-521' })],
  ['Ed25519', 'ed', () => generateKeyPairSync('ed25519')],
  ['Ed448', 'ed', () => generateKeyPairSync('ed448')],
  ['RSA of 1024 bits', 'weak', () => generateKeyPairSync('rsa', { modulusLength: 1024 })],
  [
    'RSA with 3 as exponent',
    'weak',
    () => generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }),
  ],
  ['secp256k1', 'unusable', () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' })],
  [
    'a curve that is spelled out',
    'unusable',
    () => generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' }),
  ],
  ['X25519', 'unusable', () => generateKeyPairSync('x25519')],
  [
    'DSA',
    'unusable',
    () => generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 }) as { publicKey: KeyObject },
  ],
])('a key as it is made: %s is %s', (_, expected, make) => {
  expect(verdict(spkiOf(make()))).toBe(expected);
});

test.each(Object.entries(CURVES))('the point at infinity of %s is no key, and ends nothing', (_, curve) => {
  expect(verdict(info([EC, oid(curve)], bits('00')))).toBe('unusable');
});

test('a compressed point is the same key', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const odd = (Buffer.from(y, 'base64url').at(-1) as number) & 1;
  const key = usableKey(
    info(
      [EC, oid(CURVES['P-256'])],
      bits(Buffer.concat([Uint8Array.of(2 + odd), Buffer.from(x, 'base64url')])),
    ),
  );
  expect(typeof key === 'string' ? key : key.key.export({ format: 'jwk' })).toMatchObject({ x, y });
});

const modulus = (length: number): Uint8Array => Buffer.alloc(length, 0xfb);
const rsa = (n: Uint8Array, e: Uint8Array): Uint8Array =>
  bits(element(0x30, element(0x02, Uint8Array.of(0), n), element(0x02, e)));
const F4 = Uint8Array.of(1, 0, 1);

test.each<[string, string, Uint8Array]>([
  ['without its curve', 'unusable', info([EC], bits(`04${'11'.repeat(64)}`))],
  ['off its curve', 'unusable', info([EC, oid(CURVES['P-256'])], bits(`04${'11'.repeat(64)}`))],
  ['half a point', 'unusable', info([EC, oid(CURVES['P-256'])], bits(`04${'11'.repeat(32)}`))],
  ['no point', 'unusable', info([EC, oid(CURVES['P-256'])], bits(''))],
  ['a hybrid point', 'unusable', info([EC, oid(CURVES['P-256'])], bits(`06${'11'.repeat(64)}`))],
  ['SM2', 'unusable', info([EC, oid('2a811ccf5501822d')], bits('00'))],
  ['a point of small order', 'weak', info([ED25519], bits(`01${'00'.repeat(31)}`))],
  ['the same with the sign set', 'weak', info([ED25519], bits(`${'00'.repeat(31)}80`))],
  ['a point of small order', 'weak', info([ED448], bits(`01${'00'.repeat(56)}`))],
  ['Ed25519 with parameters', 'unusable', info([ED25519, NULL], bits('11'.repeat(32)))],
  ['an Ed25519 key of 31 bytes', 'unusable', info([ED25519], bits('11'.repeat(31)))],
  ['RSA without parameters', 'unusable', info([RSA], rsa(modulus(256), F4))],
  ['RSA with an even modulus', 'weak', info([RSA, NULL], rsa(Buffer.alloc(256, 0xfa), F4))],
  ['RSA with a negative exponent', 'unusable', info([RSA, NULL], rsa(modulus(256), Uint8Array.of(0x81)))],
  ['RSA with 0 as exponent', 'weak', info([RSA, NULL], rsa(modulus(256), Uint8Array.of(0)))],
  ['RSA of 16,384 bits', 'unusable', info([RSA, NULL], rsa(modulus(2048), F4))],
  ['RSA with something behind', 'unusable', element(0x30, info([RSA, NULL], rsa(modulus(256), F4)), NULL)],
  ['an unused bit', 'unusable', info([ED25519], bits('11'.repeat(32), 1))],
  ['nothing', 'unusable', new Uint8Array()],
])('a key that nobody makes: %s is %s', (_, expected, spki) => {
  expect(verdict(spki)).toBe(expected);
});

test.each([RSA, PSS])('an exponent as long as the modulus makes checking as dear as signing: weak', (id) => {
  const long = Buffer.alloc(384, 0x7f);
  expect(verdict(info(id === RSA ? [RSA, NULL] : [PSS], rsa(modulus(384), long)))).toBe('weak');
});
