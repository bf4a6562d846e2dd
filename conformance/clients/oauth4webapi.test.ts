import { describeClient } from './client-suite.ts';

// oauth4webapi also checks the answer's form, and the token as RFC 9068 says.
describeClient(
  'oauth4webapi',
  'node',
  ['oauth4webapi.mjs'],
  [
    { name: 'client_secret_basic', env: { AUTH: 'basic' } },
    { name: 'client_secret_post', env: { AUTH: 'post' } },
  ],
);
