import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { readPublicKey } from './public-key-file.ts';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = publicKey.export({ format: 'jwk' });
/** Made with openssl req -x509, and its SHA-256 by openssl too. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBfjCCASOgAwIBAgIUcDm1aFCoN7rjbqk2bBj3OZsBD9gwCgYIKoZIzj0EAwIw
EzERMA8GA1UEAwwIcGF5bWVudHMwIBcNMjYxMTI5MDcxODQwWhgPMjEyNjExMDUw
NzE4NDBaMBMxETAPBgNVBAMMCHBheW1lbnRzMFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAEXmEGdSGIXH/BylWws8DxQ6AsHZ4+PF9+DTTSYyMkv/cJ8UbgUGl8rY8+
NMsq8EMcLugiOKXf+yWMHuhUntuPUKNTMFEwHQYDVR0OBBYEFLbu8BtefBmum1L+
Y8MgdOH6Ez+GMB8GA1UdIwQYMBaAFLbu8BtefBmum1L+Y8MgdOH6Ez+GMA8GA1Ud
EwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAJtAk94rT7Hp0tobWH3KhTXh
mnDWzweguxSmYYmcvXPmAiEA0q+q7Df42j9ErYH5gUQREK39wPhdnM8Ut1DhBLYI
Qec=
-----END CERTIFICATE-----
`;
const THUMBPRINT = '6z2PTx5yv0qR9OTQUs4s1ty7eCmzewYo8727z248Pk8';

test('a JWK is taken as it is, PEM becomes one', () => {
  expect(readPublicKey(JSON.stringify({ ...jwk, kid: 'a' }), 'f')).toEqual({ ...jwk, kid: 'a' });
  expect(readPublicKey(publicKey.export({ type: 'spki', format: 'pem' }).toString(), 'f')).toEqual(jwk);
});

test('a certificate gives its key and its thumbprint', () => {
  const key = readPublicKey(CERTIFICATE, 'f');
  expect(key).toEqual({
    kty: 'EC',
    crv: 'P-256',
    x: expect.stringMatching(/^[\w-]{43}$/),
    y: expect.stringMatching(/^[\w-]{43}$/),
    'x5t#S256': THUMBPRINT,
  });
});

test.each([
  ['PKCS #8', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()],
  ['SEC 1', privateKey.export({ type: 'sec1', format: 'pem' }).toString()],
  ['JWK', JSON.stringify(privateKey.export({ format: 'jwk' }))],
])('a private key (%s) goes nowhere and is not repeated', (_, text) => {
  const attempt = (): unknown => readPublicKey(text, 'key.pem');
  expect(attempt).toThrow(/^key\.pem holds a private key/);
  expect(attempt).not.toThrow(text.slice(40, 60));
});

test('what is neither is said so', () => {
  expect(() => readPublicKey('hello', 'f')).toThrow('f is neither JSON nor PEM.');
  expect(() => readPublicKey('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----', 'f')).toThrow(
    'f holds no public key that can be read.',
  );
  expect(() => readPublicKey('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', 'f')).toThrow(
    'f holds no certificate that can be read.',
  );
});

/** The certificate of openssl req -x509, about the point at infinity: RFC 5480 §2.2, SEC 1 §2.3.3. */
const INFINITY_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBLDCCANOgAwIBAgIUCsbSaGF1fyD1kOsX9qUmEhxIRpIwCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBeDAeFw0yNjExMjkxOTI4NDBaFw0yOTA1MTcxOTI4NDBaMAwx
CjAIBgNVBAMMAXgwGTATBgcqhkjOPQIBBggqhkjOPQMBBwMCAACjUzBRMB0GA1Ud
DgQWBBR8iCmpaEcHffkjx8tILEKx3sCpnTAfBgNVHSMEGDAWgBR8iCmpaEcHffkj
x8tILEKx3sCpnTAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIHUX
FdRrBj4iDA3pAGNPqnicdc7ITdmQlurlq5dsp+4UAiADySBOfXZVIhF6cJiSVNsv
Cd33i9WCgiZlcKgsY5a5Yw==
-----END CERTIFICATE-----
`;
const INFINITY_KEY = `-----BEGIN PUBLIC KEY-----
MBkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDAgAA
-----END PUBLIC KEY-----
`;

test.each([
  ['certificate', INFINITY_CERTIFICATE],
  ['public key', INFINITY_KEY],
])('a %s about the point at infinity is refused, and does not end the process', (what, text) => {
  expect(() => readPublicKey(text, 'f')).toThrow(`f holds no ${what} that can be read.`);
});
