import { describeValidator } from './validator-suite.ts';

describeValidator('jose', 'node', ['validate-jose.mjs'], ['ES384', 'RS256', 'RS384', 'PS256', 'EdDSA']);
