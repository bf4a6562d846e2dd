import { describeValidator } from './validator-suite.ts';

// It knows no EdDSA.
describeValidator(
  'jsonwebtoken with jwks-rsa',
  'node',
  ['validate-jsonwebtoken.mjs'],
  ['ES384', 'RS256', 'RS384', 'PS256'],
);
