// Introspection and revocation with oauth4webapi as its documentation says. CA: NODE_EXTRA_CA_CERTS.
import * as oauth from 'oauth4webapi';

const { ISSUER, CLIENT_ID, CLIENT_SECRET, RESOURCE, SCOPE, AUTH } = process.env;
const issuer = new URL(ISSUER);
const as = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { algorithm: 'oauth2' }),
);
const client = { client_id: CLIENT_ID };
const proof =
  AUTH === 'post' ? oauth.ClientSecretPost(CLIENT_SECRET) : oauth.ClientSecretBasic(CLIENT_SECRET);
const parameters = new URLSearchParams({ scope: SCOPE, resource: RESOURCE });
const { access_token: token } = await oauth.processClientCredentialsResponse(
  as,
  client,
  await oauth.clientCredentialsGrantRequest(as, client, proof, parameters),
);
const introspect = async () =>
  oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, proof, token));
const before = await introspect();
await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, proof, token));
console.log(JSON.stringify({ before, after: await introspect() }));
