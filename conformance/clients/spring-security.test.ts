import { describeClient } from './client-suite.ts';
import { describeKeyClient } from './key-client-suite.ts';

// Spring Security names the token endpoint as audience, unless told.
describeClient(
  'Spring Security',
  'java',
  ['SpringClient'],
  [
    { name: 'client_secret_basic', env: { AUTH: 'client_secret_basic' } },
    { name: 'client_secret_post', env: { AUTH: 'client_secret_post' } },
  ],
);

const AUTH = 'private_key_jwt';
describeKeyClient(
  'Spring Security',
  'java',
  ['SpringClient'],
  [
    { name: 'ES256, told the issuer', alg: 'ES256', env: ({ ISSUER }) => ({ AUTH, AUDIENCE: ISSUER }) },
    {
      name: 'RS256 for the token endpoint, as it comes, by a credential that allows both',
      alg: 'RS256',
      terms: { allow_token_endpoint_audience: true, allow_rs256: true },
      env: () => ({ AUTH }),
    },
  ],
);
