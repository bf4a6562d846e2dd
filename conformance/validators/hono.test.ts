import { describeValidator } from './validator-suite.ts';

describeValidator(
  'hono/jwk',
  'node',
  ['validate-hono.mjs'],
  ['ES384', 'RS256', 'RS384', 'PS256', 'EdDSA'],
  true,
);
