// A caller that uses openid-client as its documentation says. CA: NODE_EXTRA_CA_CERTS, as for any fetch of Node.
import * as client from 'openid-client';

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PRIVATE_JWK, RESOURCE, SCOPE, API_URL, DISCOVERY, AUTH } =
  process.env;
const jwk = PRIVATE_JWK === undefined ? undefined : JSON.parse(PRIVATE_JWK);
const methods = {
  default: undefined,
  basic: client.ClientSecretBasic(CLIENT_SECRET),
  post: client.ClientSecretPost(CLIENT_SECRET),
  private_key_jwt: jwk && client.PrivateKeyJwt(await importPrivateKey(jwk)),
};
const config = await client.discovery(
  new URL(ISSUER),
  CLIENT_ID,
  CLIENT_SECRET,
  methods[AUTH ?? 'default'],
  DISCOVERY === 'oauth2' ? { algorithm: 'oauth2' } : {},
);
const tokens = await client.clientCredentialsGrant(config, { scope: SCOPE, resource: RESOURCE });
const answer = await client.fetchProtectedResource(config, tokens.access_token, new URL(API_URL), 'GET');
console.log(
  JSON.stringify({
    token_type: tokens.token_type,
    scope: tokens.scope,
    expires_in: tokens.expires_in,
    status: answer.status,
  }),
);

function importPrivateKey(key) {
  const algorithm = {
    ES256: { name: 'ECDSA', namedCurve: 'P-256' },
    ES384: { name: 'ECDSA', namedCurve: 'P-384' },
    PS256: { name: 'RSA-PSS', hash: 'SHA-256' },
    RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
    RS384: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-384' },
    EdDSA: { name: 'Ed25519' },
  }[key.alg];
  return crypto.subtle.importKey('jwk', { ...key, alg: undefined }, algorithm, false, ['sign']);
}
