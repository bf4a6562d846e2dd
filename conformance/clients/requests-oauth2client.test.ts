import { describeClient } from './client-suite.ts';
import { describeKeyClient } from './key-client-suite.ts';

const program = ['requests_oauth2client_client.py'];

// requests-oauth2client finds everything in the metadata, and names the endpoint that it calls as audience, unless told.
describeClient('requests-oauth2client', 'python', program, [
  { name: 'client_secret_basic', env: { AUTH: 'client_secret_basic' } },
  { name: 'client_secret_post', env: { AUTH: 'client_secret_post' } },
  { name: 'client_secret_basic, its token bound by DPoP', env: { AUTH: 'client_secret_basic', DPOP: 'yes' } },
]);

const AUTH = 'private_key_jwt';
describeKeyClient('requests-oauth2client', 'python', program, [
  { name: 'ES256, told the issuer', alg: 'ES256', env: ({ ISSUER }) => ({ AUTH, AUDIENCE: ISSUER }) },
  {
    name: 'ES256, by a credential that allows the endpoint as audience',
    alg: 'ES256',
    terms: { allow_token_endpoint_audience: true },
    env: () => ({ AUTH }),
  },
]);
