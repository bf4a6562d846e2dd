// A caller that uses simple-oauth2 as its documentation says. CA: NODE_EXTRA_CA_CERTS.
import { ClientCredentials } from 'simple-oauth2';

const { TOKEN_ENDPOINT, CLIENT_ID, CLIENT_SECRET, RESOURCE, SCOPE, API_URL, AUTH, ENCODING } = process.env;
const endpoint = new URL(TOKEN_ENDPOINT);
const client = new ClientCredentials({
  client: { id: CLIENT_ID, secret: CLIENT_SECRET },
  auth: { tokenHost: endpoint.origin, tokenPath: endpoint.pathname },
  options: {
    authorizationMethod: AUTH === 'post' ? 'body' : 'header',
    credentialsEncodingMode: ENCODING ?? 'strict',
  },
});
const { token } = await client.getToken({ scope: SCOPE.split(' '), resource: RESOURCE });
const answer = await fetch(API_URL, { headers: { authorization: `Bearer ${token.access_token}` } });
console.log(
  JSON.stringify({
    token_type: token.token_type,
    scope: token.scope,
    expires_in: token.expires_in,
    status: answer.status,
  }),
);
