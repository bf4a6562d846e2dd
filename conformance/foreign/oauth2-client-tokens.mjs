// @badgateway/oauth2-client introspects and revokes its own token. CA: NODE_EXTRA_CA_CERTS.
import { OAuth2Client } from '@badgateway/oauth2-client';

const { ISSUER, CLIENT_ID, CLIENT_SECRET, RESOURCE, SCOPE, AUTH } = process.env;
const client = new OAuth2Client({
  server: ISSUER,
  clientId: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
  authenticationMethod: `client_secret_${AUTH}`,
});
const token = await client.clientCredentials({ scope: SCOPE.split(' '), resource: [RESOURCE] });
const before = await client.introspect(token);
await client.revoke(token);
const after = await client.introspect(token);
console.log(JSON.stringify({ before, after }));
