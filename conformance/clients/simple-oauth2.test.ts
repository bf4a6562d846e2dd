import { describeClient } from './client-suite.ts';

describeClient(
  'simple-oauth2',
  'node',
  ['simple-oauth2.mjs'],
  [
    { name: 'Basic, form-encoded', env: { ENCODING: 'strict' } },
    { name: 'Basic, raw', env: { ENCODING: 'loose' } },
    { name: 'body', env: { AUTH: 'post' } },
  ],
);
