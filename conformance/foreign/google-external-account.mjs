// A workload that exchanges a token with google-auth-library, as its external accounts do: from a file, or from an address
// that answers JSON, as the runner of a CI job has one. CA: NODE_EXTRA_CA_CERTS.
import { ExternalAccountClient } from 'google-auth-library';

const { TOKEN_ENDPOINT, CLIENT_ID, CLIENT_SECRET, AUDIENCE, SUBJECT_TOKEN_FILE, SCOPE } = process.env;
const { SUBJECT_TOKEN_URL, SUBJECT_TOKEN_BEARER } = process.env;
const client = ExternalAccountClient.fromJSON({
  type: 'external_account',
  audience: AUDIENCE,
  subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  token_url: TOKEN_ENDPOINT,
  // Without them the token itself says who asks.
  ...(CLIENT_ID === undefined ? {} : { client_id: CLIENT_ID, client_secret: CLIENT_SECRET }),
  credential_source:
    SUBJECT_TOKEN_URL === undefined
      ? { file: SUBJECT_TOKEN_FILE }
      : {
          url: SUBJECT_TOKEN_URL,
          headers: { Authorization: `Bearer ${SUBJECT_TOKEN_BEARER}` },
          format: { type: 'json', subject_token_field_name: 'value' },
        },
});
client.scopes = SCOPE.split(' ');
const { token, res } = await client.getAccessToken();
console.log(JSON.stringify({ token, scope: res.data.scope, issued_token_type: res.data.issued_token_type }));
