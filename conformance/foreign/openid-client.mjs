// A caller that uses openid-client as its documentation says. CA: NODE_EXTRA_CA_CERTS, as for any fetch of Node.
import * as client from 'openid-client';

const { ISSUER, CLIENT_ID, CLIENT_SECRET, RESOURCE, SCOPE, API_URL, DISCOVERY, AUTH } = process.env;
const methods = {
  default: undefined,
  basic: client.ClientSecretBasic(CLIENT_SECRET),
  post: client.ClientSecretPost(CLIENT_SECRET),
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
