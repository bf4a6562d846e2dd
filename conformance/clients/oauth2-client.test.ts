import { describeClient } from './client-suite.ts';

// @badgateway/oauth2-client form-encodes Basic credentials, down to "-" and "."; the interop way sends them raw.
describeClient(
  '@badgateway/oauth2-client',
  'node',
  ['oauth2-client.mjs'],
  [
    { name: 'client_secret_basic', env: { AUTH: 'client_secret_basic' } },
    { name: 'client_secret_basic, raw', env: { AUTH: 'client_secret_basic_interop' } },
    { name: 'client_secret_post', env: { AUTH: 'client_secret_post' } },
  ],
);
