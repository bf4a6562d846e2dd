import { describeValidator } from './validator-suite.ts';

// get-jwks knows no OKP keys.
describeValidator(
  'fast-jwt with get-jwks',
  'node',
  ['validate-fast-jwt.mjs'],
  ['ES384', 'RS256', 'RS384', 'PS256'],
);
