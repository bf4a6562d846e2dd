import { describe, expect, test } from 'vitest';
import { parseTrustBundle, type TrustBundle } from './trust-bundle.ts';

const EC = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
};
const CERTIFICATE = Buffer.from('certificate').toString('base64');
const jwt = (kid: string | undefined, change: object = {}): object => ({
  ...EC,
  use: 'jwt-svid',
  kid,
  ...change,
});
const x509 = (...x5c: string[]): object => ({ ...EC, use: 'x509-svid', x5c });

function read(bundle: unknown): TrustBundle {
  const parsed = parseTrustBundle(JSON.stringify(bundle));
  if (!parsed.ok) throw new Error(parsed.fault);
  return parsed;
}

describe('a trust bundle', () => {
  test('has keys of JWT-SVIDs and of X.509-SVIDs, its number, and when to ask again', () => {
    const bundle = read({ keys: [jwt('a'), x509(CERTIFICATE)], spiffe_sequence: 7, spiffe_refresh_hint: 60 });
    expect(bundle).toMatchObject({ sequence: 7, refreshHint: 60 });
    expect(bundle.jwtKeys.map(({ kid }) => kid)).toEqual(['a']);
    expect(bundle.certificates.map((der) => Buffer.from(der).toString())).toEqual(['certificate']);
  });

  test('without any key trusts nobody; without the member it is none', () => {
    expect(read({ keys: [] })).toMatchObject({ jwtKeys: [], certificates: [] });
    expect(parseTrustBundle('{}')).toEqual({ ok: false, fault: 'no_keys_member' });
  });

  test.each([
    ['of another use', { ...EC, use: 'wit-svid', kid: 'a' }],
    ['without a use', { ...EC, kid: 'a' }],
    ['of another kind', { kty: 'AKP', use: 'jwt-svid', kid: 'a' }],
    ['of JWT-SVIDs without a kid', jwt(undefined)],
    ['of X.509-SVIDs without a certificate', x509()],
    ['that is no object', 'x'],
  ])('a key %s is passed over, and the others count', (_what, key) => {
    const bundle = read({ keys: [key, jwt('b'), x509(CERTIFICATE)] });
    expect(bundle.jwtKeys.map(({ kid }) => kid)).toEqual(['b']);
    expect(bundle.certificates).toHaveLength(1);
  });

  // X509-SVID.md §6.2
  test('of several certificates in one entry the first one counts alone', () => {
    const other = Buffer.from('other').toString('base64');
    const { certificates } = read({ keys: [x509(CERTIFICATE, other)] });
    expect(certificates.map((der) => Buffer.from(der).toString())).toEqual(['certificate']);
  });

  test.each([
    ['a kid twice', { keys: [jwt('a'), jwt('a')] }, 'duplicate_kid'],
    ['more than 100 keys', { keys: Array.from({ length: 101 }, () => x509(CERTIFICATE)) }, 'too_many_keys'],
    ['keys that are no list', { keys: {} }, 'no_keys_member'],
  ])('with %s is refused', (_what, bundle, fault) => {
    expect(parseTrustBundle(JSON.stringify(bundle))).toEqual({ ok: false, fault });
  });

  test('that is no JSON, or has a name twice, is refused', () => {
    for (const text of ['', '[]', '{"keys":[],"keys":[]}']) {
      expect(parseTrustBundle(text)).toEqual({ ok: false, fault: 'malformed' });
    }
  });
});
