import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import * as jose from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { clientScene, NOW } from '../../test/client-scene.ts';
import type { Client } from '../client.ts';
import { ClientOptionError } from '../errors.ts';
import type { ClientOptions } from '../options.ts';
import type { PrivateKey } from '../signing-key.ts';

const scene = clientScene();
beforeEach(() => {
  scene.tiny.metadata['token_endpoint_auth_methods_supported'] = ['client_secret_basic', 'private_key_jwt'];
});

function clientOf(privateKey: PrivateKey | undefined, options: Partial<ClientOptions> = {}): Client {
  return scene.open({ clientId: 'payments', privateKey, ...options });
}

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ed = generateKeyPairSync('ed25519');
const jwkOf = (key: KeyObject, more: object = {}): PrivateKey =>
  ({ ...key.export({ format: 'jwk' }), ...more }) as PrivateKey;
const pem = (key: KeyObject, type: 'pkcs8' | 'sec1' | 'pkcs1'): string =>
  key.export({ type: type as 'pkcs8', format: 'pem' }).toString();

async function webKey(algorithm: object): Promise<[PrivateKey, KeyObject]> {
  const pair = (await crypto.subtle.generateKey(algorithm as never, false, [
    'sign',
    'verify',
  ])) as CryptoKeyPair;
  const { KeyObject: Keys } = await import('node:crypto');
  return [pair.privateKey as PrivateKey, Keys.from(pair.publicKey as never)];
}
type CryptoKeyPair = { readonly privateKey: object; readonly publicKey: object };

describe('with a private key a token request', () => {
  it('has an assertion for this issuer, good for a minute, and nothing else that proves', async () => {
    await clientOf(ec.privateKey).token();
    const { form, headers } = scene.tiny.calls[0]!;
    expect(headers.authorization).toBeUndefined();
    expect([...form.keys()].sort()).toEqual([
      'client_assertion',
      'client_assertion_type',
      'client_id',
      'grant_type',
    ]);
    expect(form.get('client_assertion_type')).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    const { payload, protectedHeader } = await jose.jwtVerify(
      form.get('client_assertion') ?? '',
      ec.publicKey,
      { currentDate: new Date(NOW * 1000) },
    );
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'client-authentication+jwt' });
    expect(payload).toEqual({
      iss: 'payments',
      sub: 'payments',
      aud: scene.tiny.issuer,
      jti: expect.stringMatching(/^[\w-]{20,}$/),
      iat: NOW,
      exp: NOW + 60,
    });
  });

  it('has another assertion each time, for a second attempt too', async () => {
    scene.tiny.next.push({ status: 503, headers: { 'retry-after': '0' } });
    await clientOf(ec.privateKey).token();
    await clientOf(ec.privateKey).token();
    const jtis = scene.tiny.calls.map(({ form }) => jose.decodeJwt(form.get('client_assertion') ?? '').jti);
    expect(jtis).toHaveLength(3);
    expect(new Set(jtis).size).toBe(3);
  });

  it.each<[string, string, () => Promise<[PrivateKey, KeyObject]> | [PrivateKey, KeyObject]]>([
    ['a KeyObject', 'ES256', () => [ec.privateKey, ec.publicKey]],
    ['PKCS #8', 'ES256', () => [pem(ec.privateKey, 'pkcs8'), ec.publicKey]],
    ['SEC 1', 'ES256', () => [pem(ec.privateKey, 'sec1'), ec.publicKey]],
    ['PKCS #1', 'PS256', () => [pem(rsa.privateKey, 'pkcs1'), rsa.publicKey]],
    ['a JWK', 'ES256', () => [jwkOf(ec.privateKey), ec.publicKey]],
    ['a JWK of RSA for RS256', 'RS256', () => [jwkOf(rsa.privateKey, { alg: 'RS256' }), rsa.publicKey]],
    ['a JWK of Ed25519', 'EdDSA', () => [jwkOf(ed.privateKey, { alg: 'Ed25519' }), ed.publicKey]],
    ['Web Crypto, P-256', 'ES256', () => webKey({ name: 'ECDSA', namedCurve: 'P-256' })],
    ['Web Crypto, P-384', 'ES384', () => webKey({ name: 'ECDSA', namedCurve: 'P-384' })],
    ['Web Crypto, RSA-PSS', 'PS256', () => webKey(rsaParameters('RSA-PSS', 'SHA-256'))],
    ['Web Crypto, PKCS #1', 'RS384', () => webKey(rsaParameters('RSASSA-PKCS1-v1_5', 'SHA-384'))],
  ])('is signed by a key given as %s', async (_, alg, make) => {
    const [key, publicKey] = await make();
    await clientOf(key).token();
    const assertion = scene.tiny.calls[0]!.form.get('client_assertion') ?? '';
    const { protectedHeader } = await jose.jwtVerify(assertion, publicKey, {
      currentDate: new Date(NOW * 1000),
    });
    expect(protectedHeader.alg).toBe(alg);
  });

  it('names the key as keyId or its JWK does', async () => {
    await clientOf(jwkOf(ec.privateKey, { kid: 'one' })).token();
    await clientOf(jwkOf(ec.privateKey, { kid: 'one' }), { keyId: 'two' }).token();
    const kids = scene.tiny.calls.map(
      ({ form }) => jose.decodeProtectedHeader(form.get('client_assertion') ?? '').kid,
    );
    expect(kids).toEqual(['one', 'two']);
  });

  it('is not made where the authority does not offer the method', async () => {
    scene.tiny.metadata['token_endpoint_auth_methods_supported'] = ['client_secret_basic'];
    await expect(clientOf(ec.privateKey).token()).rejects.toMatchObject({ code: 'discovery_failed' });
    expect(scene.tiny.calls).toEqual([]);
  });
});

const rsaParameters = (name: string, hash: string): object => ({
  name,
  hash,
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
});

describe('a client is not made', () => {
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const other = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
  it.each<[string, unknown]>([
    ['with a public key', ec.publicKey],
    ['with a public JWK', ec.publicKey.export({ format: 'jwk' })],
    ['with a short RSA key', short.privateKey],
    ['with a curve that is not used', other.privateKey],
    ['with a JWK for another algorithm', jwkOf(ec.privateKey, { alg: 'ES384' })],
    ['with a JWK for HMAC', { kty: 'oct', k: 'AAAA', alg: 'HS256' }],
    ['with PEM that is none', '-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----'],
    ['with bytes', new Uint8Array(32)],
    ['with nothing', null],
  ])('%s, and the key is not repeated', (_, key) => {
    const attempt = (): Client => clientOf(key as PrivateKey);
    expect(attempt).toThrow(ClientOptionError);
    expect(attempt).toThrow(/^privateKey: give a private key for/);
  });

  it('with a key and a secret', () => {
    const both = { clientSecret: 'csk_x' };
    expect(() => clientOf(ec.privateKey, both)).toThrow(/^privateKey: takes the place of clientSecret/);
    expect(() => clientOf(ec.privateKey, { clientAuthMethod: 'client_secret_post' })).toThrow(/^privateKey/);
    expect(() => clientOf(ec.privateKey, { keyId: '' })).toThrow(/^keyId/);
    expect(() => clientOf(undefined)).toThrow(/^clientSecret/);
  });
});
