// No token leaves where it cannot be encrypted: OPC 10000-4 §7.40.6. Needs no node-opcua.
import { expect, test } from 'vitest';
import type { ClientOpcUa, TokenContext } from './node-opcua-client.ts';
import { sealToken } from './seal-token.ts';

const URI = 'http://opcfoundation.org/UA/SecurityPolicy#';
const ISSUED = 3;
/** Self-signed, for a key on P-256. */
const P256_CERTIFICATE = `
MIIBdTCCARugAwIBAgIUSJaTeg3ZCn1cj3oZrRrd44HogTYwCgYIKoZIzj0EAwIwEDEOMAwGA1UEAwwFcHJlc3MwHh
cNMjYxMTMwMjMzNjI2WhcNMzYxMTI3MjMzNjI2WjAQMQ4wDAYDVQQDDAVwcmVzczBZMBMGByqGSM49AgEGCCqGSM49
AwEHA0IABHRKTt/cAxV3phS3up5JaxTEDTN6mGVhBB/b8MbrRt3++OulM+ATwKT+jydz8OLVek9w7ws7rtvZxMBAfD
c6CvGjUzBRMB0GA1UdDgQWBBTk1DHMEhy/jtw4Liu7T3iQQ/6JIzAfBgNVHSMEGDAWgBTk1DHMEhy/jtw4Liu7T3iQ
Q/6JIzAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQCM1Wx/5G7NEpYq9iSVHAMrmF3e2ZrmGpj2wv
GgFMwdEgIgKCvX/6s+xCwdjG2w8GycwctvOsSctaqwK4Sq9vgUawA=`;
const opcua = {
  UserTokenType: { Anonymous: 0, IssuedToken: ISSUED },
  IssuedIdentityToken: class {
    constructor(options: object) {
      Object.assign(this, options);
    }
  },
} as unknown as ClientOpcUa;

/** An endpoint that takes tokens under this policy. `own`: what its token policy says itself. */
function endpoint(securityPolicy: string, own: string | null = null): TokenContext {
  const policy = {
    policyId: 'token',
    tokenType: ISSUED,
    issuedTokenType: 'http://opcfoundation.org/UA/UserToken#JWT',
    issuerEndpointUrl: null,
    securityPolicyUri: own,
  };
  return {
    endpoint: { securityMode: 3, securityPolicyUri: securityPolicy, userIdentityTokens: [policy] },
    securityPolicy,
    serverCertificate: Buffer.alloc(0),
    serverNonce: Buffer.alloc(32, 7),
  };
}

const refusal = (context: TokenContext): unknown => {
  try {
    return sealToken(opcua, 'a.b.c', context);
  } catch (error) {
    return error;
  }
};

test.each([
  'None',
  'Basic128Rsa15',
  'Basic256',
  'ECC_nistP256',
  'ECC_nistP256_AesGcm',
  'ECC_curve25519',
  'Aes128_Sha256_RsaOaep/../ECC_nistP256',
])('under %s no token is sent, whether the channel or the token policy says so', (policy) => {
  const error = { code: 'insecure_endpoint' };
  expect(refusal(endpoint(URI + policy))).toMatchObject(error);
  expect(refusal(endpoint(`${URI}Basic256Sha256`, URI + policy))).toMatchObject(error);
});

test('without the nonce or the certificate of the server none is sent', () => {
  const whole = endpoint(`${URI}Basic256Sha256`);
  for (const lacking of [{ serverNonce: undefined }, { serverCertificate: null }]) {
    expect(refusal({ ...whole, ...lacking })).toMatchObject({ code: 'insecure_endpoint' });
  }
});

test('none is sent to a server whose key encrypts nothing', () => {
  const whole = endpoint(`${URI}Basic256Sha256`);
  for (const certificate of [Buffer.from(P256_CERTIFICATE, 'base64'), Buffer.from('no certificate')]) {
    const error = refusal({ ...whole, serverCertificate: certificate });
    expect(error).toMatchObject({ code: 'insecure_endpoint' });
  }
});
