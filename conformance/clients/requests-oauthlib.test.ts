import { describeClient } from './client-suite.ts';

// requests-oauthlib fails where the answer's scope is not the asked one.
describeClient(
  'requests-oauthlib',
  'python',
  ['requests_oauthlib_client.py'],
  [
    { name: 'Basic', env: {} },
    { name: 'body', env: { AUTH: 'post' } },
    { name: 'no scope named', env: { SCOPE: '' } },
  ],
);
