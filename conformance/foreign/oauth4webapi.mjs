// A caller that uses oauth4webapi as its documentation says, and its check of RFC 9068 tokens. CA: NODE_EXTRA_CA_CERTS.
import * as oauth from 'oauth4webapi';

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PRIVATE_JWK, RESOURCE, SCOPE, API_URL, AUTH } = process.env;
const issuer = new URL(ISSUER);
const as = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { algorithm: 'oauth2' }),
);
const client = { client_id: CLIENT_ID };
const methods = {
  basic: () => oauth.ClientSecretBasic(CLIENT_SECRET),
  post: () => oauth.ClientSecretPost(CLIENT_SECRET),
  private_key_jwt: async () => {
    const { alg, ...jwk } = JSON.parse(PRIVATE_JWK);
    const algorithm = {
      ES256: { name: 'ECDSA', namedCurve: 'P-256' },
      PS256: { name: 'RSA-PSS', hash: 'SHA-256' },
      EdDSA: { name: 'Ed25519' },
    }[alg];
    return oauth.PrivateKeyJwt(await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['sign']));
  },
};
const authentication = await methods[AUTH ?? 'basic']();
const response = await oauth.clientCredentialsGrantRequest(
  as,
  client,
  authentication,
  new URLSearchParams({ scope: SCOPE, resource: RESOURCE }),
);
const tokens = await oauth.processClientCredentialsResponse(as, client, response);
const answer = await oauth.protectedResourceRequest(tokens.access_token, 'GET', new URL(API_URL));
const claims = await oauth.validateJwtAccessToken(
  as,
  new Request(API_URL, { headers: { authorization: `Bearer ${tokens.access_token}` } }),
  RESOURCE,
);
console.log(
  JSON.stringify({
    token_type: tokens.token_type,
    scope: tokens.scope,
    expires_in: tokens.expires_in,
    status: answer.status,
    validated: claims.client_id === CLIENT_ID,
  }),
);
