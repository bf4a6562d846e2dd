// Introspection and revocation with openid-client as its documentation says. CA: NODE_EXTRA_CA_CERTS.
import * as client from 'openid-client';

const { ISSUER, CLIENT_ID, CLIENT_SECRET, RESOURCE, SCOPE, AUTH } = process.env;
const method =
  AUTH === 'post' ? client.ClientSecretPost(CLIENT_SECRET) : client.ClientSecretBasic(CLIENT_SECRET);
const config = await client.discovery(new URL(ISSUER), CLIENT_ID, CLIENT_SECRET, method, {
  algorithm: 'oauth2',
});
const { access_token: token } = await client.clientCredentialsGrant(config, {
  scope: SCOPE,
  resource: RESOURCE,
});
const before = await client.tokenIntrospection(config, token);
await client.tokenRevocation(config, token, { token_type_hint: 'access_token' });
const after = await client.tokenIntrospection(config, token);
console.log(JSON.stringify({ before, after }));
