import { describeClient } from './client-suite.ts';

// openid-client sends client_secret_post unless told, and asks for OpenID Connect's metadata unless told.
describeClient(
  'openid-client',
  'node',
  ['openid-client.mjs'],
  [
    { name: 'as it comes', env: {} },
    { name: 'client_secret_basic, RFC 8414 discovery', env: { AUTH: 'basic', DISCOVERY: 'oauth2' } },
    { name: 'client_secret_post, RFC 8414 discovery', env: { AUTH: 'post', DISCOVERY: 'oauth2' } },
  ],
);
