import { describeClient } from './client-suite.ts';

// Go's clientcredentials finds out by itself how a server wants the secret: a clean 401 to the first try is what it needs.
describeClient(
  'golang.org/x/oauth2/clientcredentials',
  'go',
  [],
  [
    { name: 'autodetected', env: { AUTH_STYLE: 'autodetect' } },
    { name: 'in the header', env: { AUTH_STYLE: 'header' } },
    { name: 'in the body', env: { AUTH_STYLE: 'params' } },
  ],
);
