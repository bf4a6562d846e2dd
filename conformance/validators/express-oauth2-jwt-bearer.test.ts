import { describeValidator } from './validator-suite.ts';

describeValidator(
  'express-oauth2-jwt-bearer, strict',
  'node',
  ['validate-express-oauth2-jwt-bearer.mjs'],
  ['ES384', 'RS256', 'RS384', 'PS256', 'EdDSA'],
);
