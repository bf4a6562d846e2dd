// A caller that uses @badgateway/oauth2-client as its documentation says. CA: NODE_EXTRA_CA_CERTS.
import { OAuth2Client } from '@badgateway/oauth2-client';

const { ISSUER, CLIENT_ID, CLIENT_SECRET, RESOURCE, SCOPE, API_URL, AUTH } = process.env;
const client = new OAuth2Client({
  server: ISSUER,
  clientId: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
  authenticationMethod: AUTH,
});
const token = await client.clientCredentials({ scope: SCOPE.split(' '), resource: [RESOURCE] });
const answer = await fetch(API_URL, { headers: { authorization: `Bearer ${token.accessToken}` } });
console.log(
  JSON.stringify({
    scope: token.scope?.join(' ') ?? SCOPE,
    expires_in: Math.round((token.expiresAt - Date.now()) / 1000),
    status: answer.status,
  }),
);
