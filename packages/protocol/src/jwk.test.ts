import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type JwkFault } from './jwk.ts';
import { parsePublicJwk } from './verification-key.ts';

const EC = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
};
const OKP = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
const rsaKey = (modulusLength: number, publicExponent = 65537) =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent }).publicKey.export({ format: 'jwk' });
const RSA = { ...rsaKey(2048) };

describe('a public JWK', () => {
  it('is pinned to the algorithm that it names or that its curve implies', () => {
    const alg = (jwk: object) => {
      const result = parsePublicJwk(jwk);
      return result.ok ? result.key.alg : result.fault;
    };
    expect(alg(EC)).toBe('ES256');
    expect(alg({ ...EC, alg: 'ES256', use: 'sig', key_ops: ['verify'], kid: 'a', x5c: ['ignored'] })).toBe(
      'ES256',
    );
    expect(alg(OKP)).toBe('EdDSA');
    expect(alg({ ...OKP, alg: 'Ed25519' })).toBe('Ed25519');
    expect(alg({ ...RSA, alg: 'PS256' })).toBe('PS256');
    expect(alg(RSA)).toBe('alg_required');
    const narrowed = parsePublicJwk(RSA, { rsaAlgorithm: 'RS256' });
    expect(narrowed.ok && narrowed.key.alg).toBe('RS256');
  });

  // RFC 8032 §5.1.7 with A of small order: R the neutral point and S = 0 hold for many a message, or for all.
  it.each([
    `01${'00'.repeat(31)}`,
    `01${'00'.repeat(30)}80`,
    '00'.repeat(32),
    `${'00'.repeat(31)}80`,
    `ec${'ff'.repeat(30)}7f`,
    `ed${'ff'.repeat(30)}7f`,
    `ee${'ff'.repeat(30)}ff`,
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  ])('is not one that anybody can sign for: %s', (point) => {
    const jwk = { ...OKP, x: Buffer.from(point, 'hex').toString('base64url') };
    expect(parsePublicJwk(jwk)).toEqual({ ok: false, fault: 'weak_ed25519_key' });
  });

  it.each<[string, unknown, JwkFault]>([
    ['null', null, 'not_an_object'],
    ['a list', [EC], 'not_an_object'],
    ['a private key', { ...EC, d: EC.x }, 'private_key_material'],
    ['a symmetric key', { kty: 'oct', k: 'AAAA' }, 'private_key_material'],
    ['no kty', { ...EC, kty: undefined }, 'unsupported_kty'],
    ['members that are inherited', Object.create(EC), 'unsupported_kty'],
    ['a curve that is not used here', { ...EC, crv: 'secp256k1' }, 'unsupported_crv'],
    ['no curve', { ...EC, crv: undefined }, 'unsupported_crv'],
    ['Ed448', { ...OKP, crv: 'Ed448' }, 'unsupported_crv'],
    ['X25519', { ...OKP, crv: 'X25519' }, 'unsupported_crv'],
    ['another curve than alg says', { ...EC, alg: 'ES384' }, 'alg_mismatch'],
    ['another kind than alg says', { ...EC, alg: 'RS256' }, 'alg_mismatch'],
    ['HMAC', { ...EC, alg: 'HS256' }, 'unsupported_alg'],
    ['an alg that the language has', { ...EC, alg: 'constructor' }, 'unsupported_alg'],
    ['a key for encryption', { ...EC, use: 'enc' }, 'wrong_use'],
    ['operations without verify', { ...EC, key_ops: ['sign'] }, 'wrong_key_ops'],
    ['operations with deriveKey', { ...EC, key_ops: ['verify', 'deriveKey'] }, 'wrong_key_ops'],
    ['repeated operations', { ...EC, key_ops: ['verify', 'verify'] }, 'wrong_key_ops'],
    ['operations as text', { ...EC, key_ops: 'verify' }, 'wrong_key_ops'],
    ['a kid that is a number', { ...EC, kid: 1 }, 'bad_kid'],
    ['an empty kid', { ...EC, kid: '' }, 'bad_kid'],
    ['a point beside the curve', { ...EC, y: EC.x }, 'not_on_curve'],
    ['a short coordinate', { ...EC, x: EC.x.slice(0, -4) }, 'bad_coordinate'],
    ['a long coordinate', { ...EC, x: `AAAA${EC.x}` }, 'bad_coordinate'],
    ['a coordinate with padding', { ...EC, x: `${EC.x}=` }, 'bad_coordinate'],
    ['no y', { ...EC, y: undefined }, 'bad_coordinate'],
    ['a short Ed25519 key', { ...OKP, x: 'AAAA' }, 'bad_coordinate'],
    ['RSA of 1,024 bits', { ...rsaKey(1024), alg: 'RS256' }, 'weak_rsa_key'],
    ['RSA of 2,047 bits', { ...rsaKey(2047), alg: 'RS256' }, 'weak_rsa_key'],
    ['RSA with e = 3', { ...rsaKey(2048, 3), alg: 'RS256' }, 'weak_rsa_key'],
    ['RSA with e = 1', { ...RSA, e: 'AQ', alg: 'RS256' }, 'weak_rsa_key'],
    ['RSA with an even e', { ...RSA, e: 'AQAC', alg: 'RS256' }, 'weak_rsa_key'],
    ['RSA with a leading zero in e', { ...RSA, e: 'AAEAAQ', alg: 'RS256' }, 'bad_coordinate'],
    ['RSA without n', { ...RSA, n: undefined, alg: 'RS256' }, 'bad_coordinate'],
    [
      'RSA of 16,384 bits',
      { ...RSA, n: Buffer.alloc(2048, 0xff).toString('base64url'), alg: 'RS256' },
      'bad_coordinate',
    ],
    [
      'RSA of 8,200 bits',
      { ...RSA, n: Buffer.alloc(1025, 0xff).toString('base64url'), alg: 'RS256' },
      'weak_rsa_key',
    ],
  ])('is not %s', (_, jwk, fault) => {
    expect(parsePublicJwk(jwk)).toEqual({ ok: false, fault });
  });
});
