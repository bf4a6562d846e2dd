// A caller that uses oauth4webapi with mutual TLS as its documentation says: the endpoint comes from mtls_endpoint_aliases.
import * as oauth from 'oauth4webapi';
import { certificateFetch } from './certificate-fetch.mjs';

const { ISSUER, CLIENT_ID, RESOURCE, SCOPE, API_URL } = process.env;
const issuer = new URL(ISSUER);
const options = { [oauth.customFetch]: certificateFetch };
const as = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options }),
);
const client = { client_id: CLIENT_ID, use_mtls_endpoint_aliases: true };
const response = await oauth.clientCredentialsGrantRequest(
  as,
  client,
  oauth.TlsClientAuth(),
  new URLSearchParams({ scope: SCOPE, resource: RESOURCE }),
  options,
);
const tokens = await oauth.processClientCredentialsResponse(as, client, response);
const api = new URL(API_URL);
const answer = await oauth.protectedResourceRequest(
  tokens.access_token,
  'GET',
  api,
  undefined,
  undefined,
  options,
);
console.log(JSON.stringify({ token: tokens.access_token, scope: tokens.scope, status: answer.status }));
