// A caller that uses openid-client with mutual TLS as its documentation says: the endpoint comes from mtls_endpoint_aliases.
import * as client from 'openid-client';
import { certificateFetch } from './certificate-fetch.mjs';

const { ISSUER, CLIENT_ID, RESOURCE, SCOPE, API_URL } = process.env;
const config = await client.discovery(
  new URL(ISSUER),
  CLIENT_ID,
  { use_mtls_endpoint_aliases: true },
  client.TlsClientAuth(),
  { [client.customFetch]: certificateFetch },
);
const tokens = await client.clientCredentialsGrant(config, { scope: SCOPE, resource: RESOURCE });
const answer = await client.fetchProtectedResource(config, tokens.access_token, new URL(API_URL), 'GET');
console.log(JSON.stringify({ token: tokens.access_token, scope: tokens.scope, status: answer.status }));
