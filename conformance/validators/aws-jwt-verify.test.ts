import { describeValidator } from './validator-suite.ts';

// aws-jwt-verify knows no PSS.
describeValidator(
  'aws-jwt-verify',
  'node',
  ['validate-aws-jwt-verify.mjs'],
  ['ES384', 'RS256', 'RS384', 'EdDSA'],
);
